// A multipart form that is in memory already.

import { EMPTY_BYTES } from "@tw/util";
import { multipartError } from "../multipart/errors.js";
import { MultipartParser } from "../multipart/parser.js";
import type { PartHead } from "../multipart/part-head.js";
import type { RequestArguments } from "./arguments.js";
import { type ParseBodyConfig, resolveParseBodyConfig } from "./config.js";

/** A file that came with a form (Tornado's `HTTPFile`). */
export interface HTTPFile {
  /** What the peer calls it. Not a path, and not to be trusted: see {@link PartHead.filename}. */
  readonly filename: string;
  /** What the peer says it is; `application/unknown` when it does not say. */
  readonly contentType: string;
  /** Its bytes: a view of the body. */
  readonly body: Uint8Array;
}

/** The files under each name, in the order they came. */
export type RequestFiles = ReadonlyMap<string, readonly HTTPFile[]>;

/** What a form has. */
export interface ParsedForm {
  readonly arguments: RequestArguments;
  readonly files: RequestFiles;
}

/**
 * Reads a multipart body: parts with a file's name become files, the others arguments. Values are views of `body`.
 *
 * The first error is thrown and nothing of the form is kept: HTTPInputError 400 with the codes of {@link MultipartParser},
 * or `ERR_TW_MULTIPART_FIELDS_TOO_LARGE`.
 *
 * @throws RangeError when `boundary` is none
 * @example
 * const { arguments: fields, files } = parseMultipartFormData(boundaryOf(contentType), request.body);
 */
export function parseMultipartFormData(
  boundary: string,
  body: Uint8Array,
  config?: ParseBodyConfig,
): ParsedForm {
  const limits = resolveParseBodyConfig(config);
  const parser = new MultipartParser(boundary, limits);
  const fields = new Map<string, Uint8Array[]>();
  const files = new Map<string, HTTPFile[]>();
  let head: PartHead | undefined;
  let value: Uint8Array = EMPTY_BYTES;
  let fieldsSize = 0;
  parser.receive(body);
  for (let event = parser.next(); event !== undefined; event = parser.next()) {
    if (event.type === "part") {
      head = event.head;
      value = EMPTY_BYTES;
    } else if (event.type === "data")
      value = event.bytes; // once, since all of it is in one view
    else if (event.type === "partEnd" && head !== undefined) {
      const { name, filename, contentType } = head;
      if (filename !== undefined) push(files, name, { filename, contentType, body: value });
      else {
        fieldsSize += value.length;
        if (fieldsSize > limits.maxFieldsSize) {
          const message = `The fields of a form exceed ${limits.maxFieldsSize} bytes`;
          throw multipartError("ERR_TW_MULTIPART_FIELDS_TOO_LARGE", message);
        }
        push(fields, name, value);
      }
    }
  }
  parser.receiveEnd();
  return { arguments: fields, files };
}

function push<T>(map: Map<string, T[]>, name: string, value: T): void {
  const list = map.get(name);
  if (list === undefined) map.set(name, [value]);
  else list.push(value);
}
