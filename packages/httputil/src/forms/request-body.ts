// What a request knows of its arguments and its body, read when first asked for. Apart from HTTPServerRequest so that a
// request that is asked for none of it pays one field.

import type { BodyStream } from "../body/body-stream.js";
import type { HTTPHeaders } from "../headers.js";
import { boundaryOf } from "../multipart/boundary.js";
import type { MultipartLimits } from "../multipart/limits.js";
import type { MultipartPart } from "../multipart/part.js";
import { readMultipart } from "../multipart/reader.js";
import { joinArguments, parseQueryArguments, type RequestArguments } from "./arguments.js";
import { NO_FORM, parseBodyArguments, refuseEncoded } from "./body-arguments.js";
import { type ParseBodyConfig, resolveParseBodyConfig } from "./config.js";
import type { ParsedForm, RequestFiles } from "./multipart-form-data.js";

/** The part of a request that this needs. */
export interface RequestSource {
  readonly headers: HTTPHeaders;
  readonly query: string;
  readonly body: Uint8Array;
}

/** The body of one request, and the arguments in it and in the query. */
export class RequestBody {
  /** There where the body is not collected but read as it comes. */
  readonly stream: BodyStream | undefined;
  readonly #config: ParseBodyConfig | undefined;
  #query: RequestArguments | undefined;
  #form: ParsedForm | undefined;
  #all: RequestArguments | undefined;

  /** @throws TypeError, RangeError when `config` has what is no limit */
  constructor(stream: BodyStream | undefined, config?: ParseBodyConfig) {
    this.stream = stream;
    this.#config = config === undefined ? undefined : resolveParseBodyConfig(config);
  }

  arguments(request: RequestSource): RequestArguments {
    this.#all ??= joinArguments(this.queryArguments(request), this.form(request).arguments);
    return this.#all;
  }

  queryArguments(request: RequestSource): RequestArguments {
    this.#query ??= parseQueryArguments(request.query, this.#config);
    return this.#query;
  }

  files(request: RequestSource): RequestFiles {
    return this.form(request).files;
  }

  /** A body that is streamed is nobody's but its reader's: it has no arguments. */
  form({ headers, body }: RequestSource): ParsedForm {
    this.#form ??=
      this.stream === undefined
        ? parseBodyArguments(headers.get("Content-Type") ?? "", body, headers, this.#config)
        : NO_FORM;
    return this.#form;
  }

  chunks({ body }: RequestSource): AsyncIterableIterator<Uint8Array, undefined> {
    return this.stream === undefined ? once(body) : this.stream.chunks();
  }

  multipart(
    request: RequestSource,
    limits: MultipartLimits | undefined,
  ): AsyncIterableIterator<MultipartPart, undefined> {
    const boundary = boundaryOf(request.headers.get("Content-Type") ?? "");
    refuseEncoded(request.headers);
    return readMultipart(
      { [Symbol.asyncIterator]: () => this.chunks(request) },
      boundary,
      limits ?? this.#config,
    );
  }
}

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  if (body.length > 0) yield body;
}
