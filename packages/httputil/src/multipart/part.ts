// One part of a multipart body: its head, and its bytes as somebody pulls them.

import { checkInteger, quote } from "@tw/util";
import { BodyUsedError } from "../body/errors.js";
import { decodeFormText } from "../forms/arguments.js";
import type { HTTPHeaders } from "../headers.js";
import { multipartError } from "./errors.js";
import { GrowingBytes } from "./growing-bytes.js";
import type { PartHead } from "./part-head.js";

/** Options of {@link MultipartPart.bytes} and {@link MultipartPart.text}. */
export interface PartReadOptions {
  /** Bytes taken into memory; beyond, `ERR_TW_MULTIPART_PART_TOO_LARGE` with 413. @default 1 048 576 */
  readonly maxBytes?: number;
}

const DEFAULT_PART_MAX_BYTES = 1024 * 1024;

/**
 * A part that is arriving. Iterate over it for its bytes, or take them whole; once, and before the next part is asked
 * for. What is not read is skipped.
 */
export class MultipartPart implements PartHead, AsyncIterable<Uint8Array> {
  readonly headers: HTTPHeaders;
  readonly name: string;
  readonly filename: string | undefined;
  readonly contentType: string;
  readonly #pull: () => Promise<Uint8Array | undefined>;
  #used = false;

  /** Made by `readMultipart`. */
  constructor(head: PartHead, pull: () => Promise<Uint8Array | undefined>) {
    this.headers = head.headers;
    this.name = head.name;
    this.filename = head.filename;
    this.contentType = head.contentType;
    this.#pull = pull;
  }

  /**
   * The bytes as they come. Each view is valid until the next one is asked for: copy it to keep it. Reading rejects with
   * HTTPInputError when the body is malformed, BodyAbortedError when it ends early, BodyUsedError when the next part was
   * asked for.
   *
   * @throws BodyUsedError when the part was read, or is being read
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array, undefined> {
    if (this.#used) throw new BodyUsedError(`Part ${quote(this.name)} has a reader, or has had one`);
    this.#used = true;
    let over = false;
    const iterator = {
      next: async (): Promise<IteratorResult<Uint8Array, undefined>> => {
        const value = over ? undefined : await this.#pull();
        if (value !== undefined) return { done: false, value };
        over = true;
        return { done: true, value: undefined };
      },
      return: async (): Promise<IteratorResult<Uint8Array, undefined>> => {
        over = true;
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /**
   * All bytes, the caller's own. Rejects as the iterator does, and with HTTPInputError 413
   * `ERR_TW_MULTIPART_PART_TOO_LARGE` beyond `maxBytes`.
   *
   * @throws TypeError, RangeError when `maxBytes` is no size; BodyUsedError as the iterator
   */
  bytes(options: PartReadOptions = {}): Promise<Uint8Array> {
    const { maxBytes = DEFAULT_PART_MAX_BYTES } = options;
    checkInteger("maxBytes", maxBytes);
    return this.#collect(this[Symbol.asyncIterator](), maxBytes);
  }

  /** All bytes as UTF-8 text, as `bytes` does. Rejects with HTTPInputError 400 `ERR_TW_FORM_NOT_UTF8` for what is none. */
  async text(options: PartReadOptions = {}): Promise<string> {
    return decodeFormText(await this.bytes(options), this.name);
  }

  async #collect(views: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
    const all = new GrowingBytes();
    for await (const view of views) {
      if (all.length + view.length > maxBytes) {
        const message = `Part ${quote(this.name)} exceeds ${maxBytes} bytes`;
        throw multipartError("ERR_TW_MULTIPART_PART_TOO_LARGE", message, 413);
      }
      all.append(view);
    }
    return all.take();
  }
}
