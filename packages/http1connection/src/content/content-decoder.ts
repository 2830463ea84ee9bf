// Undoes the content codings of one body, for servers (requests) and clients (responses) alike.
//
//   write ──► Inflater "br" ──counted──► Inflater "gzip" ──counted──► take
//
// Anybody can send a megabyte that becomes a gigabyte (S-08). So what each coding makes is counted as it is made, the
// bytes between two codings included: a gigabyte of empty gzip members decodes to nothing, and costs as much.

import { checkInteger } from "@tw/util";
import type { ContentCoding } from "./codings.js";
import { contentTooLarge } from "./errors.js";
import { Inflater, type Take } from "./inflater.js";

/** Options of a {@link ContentDecoder}. */
export interface ContentDecoderOptions {
  /** Bytes that the content may have decoded, and after each of its codings; beyond it 413. There is no default. */
  readonly maxSize: number;
  /**
   * Also takes `deflate` without the zlib wrapper, which some servers send although RFC 9110 §8.4.1.2 says otherwise.
   * It is told by the first byte. @default false
   */
  readonly rawDeflate?: boolean;
}

/**
 * Decodes one body. Bytes go in with `write`, and come out at `take` in pieces of at most 64 KiB that are its own; a
 * promise from `take` holds everything back. Memory is bounded by a window (32 KiB for gzip and deflate, 16 MiB for br,
 * 8 MiB for zstd) and a few pieces, whatever the ratio.
 *
 * @example
 * const decoder = new ContentDecoder(["gzip"], (piece) => console.log(piece.length), { maxSize: 1_000_000 });
 * await decoder.write(gzipSync("hello"));
 * await decoder.end();
 */
export class ContentDecoder {
  readonly #codings: readonly ContentCoding[];
  readonly #take: Take;
  readonly #options: ContentDecoderOptions;
  /** In the order to undo them: the one applied last comes first. Made with the first bytes. */
  #inflaters: Inflater[] = [];
  #closed = false;

  /**
   * `codings` in the order in which they were applied, as `parseContentCodings` gives them.
   *
   * @throws TypeError, RangeError when `maxSize` is no size
   */
  constructor(codings: readonly ContentCoding[], take: Take, options: ContentDecoderOptions) {
    if (options.maxSize !== Number.POSITIVE_INFINITY) checkInteger("maxSize", options.maxSize);
    this.#codings = codings;
    this.#take = take;
    this.#options = options;
  }

  /**
   * Resolves when `chunk` is decoded and all of it was taken; until then its bytes must not change. One call at a time.
   * Rejects with `HTTPInputError`: `ERR_TW_CONTENT_CODING` (400) for what is not so coded, bytes behind the end
   * included, `ERR_TW_BODY_TOO_LARGE` (413); or with what `take` threw. The decoder is closed then.
   */
  async write(chunk: Uint8Array): Promise<void> {
    if (chunk.length === 0 || this.#closed) return;
    if (this.#inflaters.length === 0) this.#open(chunk[0] as number);
    await this.#whole((this.#inflaters[0] as Inflater).write(chunk));
  }

  /** Resolves when everything was taken. Rejects as {@link write} does, and when the end is missing. No bytes are no content. */
  async end(): Promise<void> {
    for (const inflater of this.#inflaters) if (!this.#closed) await this.#whole(inflater.end());
    this.close();
  }

  /** Frees everything at once; nothing is taken any more, and who waits goes on. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const inflater of this.#inflaters) inflater.close();
  }

  /** A failure of one is the failure of all. */
  async #whole(call: Promise<void>): Promise<void> {
    try {
      await call;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #open(first: number): void {
    // RFC 1950 §2.2: the method of a zlib stream is 8, deflate.
    const raw = this.#options.rawDeflate === true && this.#codings.length === 1 && (first & 0x0f) !== 8;
    let take = this.#counted(this.#take);
    for (const coding of this.#codings) {
      const inflater = new Inflater(coding, take, raw);
      this.#inflaters.unshift(inflater);
      take = this.#counted((piece) => inflater.write(piece));
    }
  }

  #counted(take: Take): Take {
    const { maxSize } = this.#options;
    let size = 0;
    return (piece) => {
      size += piece.length;
      if (size > maxSize) throw contentTooLarge(maxSize);
      return take(piece);
    };
  }
}
