// One coding of one body, undone by Node's zlib in its thread pool, with back-pressure both ways: a write is over when
// all that it made has been taken, and while something is being taken no more is made than one chunk.

import type { Transform } from "node:stream";
import zlib from "node:zlib";
import type { MaybePromise } from "@tw/httputil";
import { Deferred, isPromiseLike } from "@tw/util";
import type { ContentCoding } from "./codings.js";
import { contentError } from "./errors.js";
import { ZstdFrames } from "./zstd-frames.js";

/** Takes decoded bytes, which are its own. What it throws ends the inflater. */
export type Take = (chunk: Uint8Array) => MaybePromise;

/** Bytes of a decoded piece. */
const PIECE_SIZE = 64 * 1024;

/** The largest window of a zstd frame, as a power of two: 8 MiB, more than which RFC 9659 §3 forbids to send. */
const ZSTD_WINDOW_LOG = 23;

/** Undoes one coding. One call of {@link write} or {@link end} at a time. */
export class Inflater {
  readonly #coding: ContentCoding;
  readonly #zlib: Transform & { readonly bytesWritten: number };
  readonly #frames: ZstdFrames | undefined;
  readonly #take: Take;
  #state: "open" | "ended" | "closed" = "open";
  #waiting: Deferred | undefined;
  /** Whether zlib has looked at all that it was given; whether what it made is being taken. */
  #consumed = true;
  #taking = false;
  #given = 0;
  #failure: unknown;

  constructor(coding: ContentCoding, take: Take, rawDeflate = false) {
    this.#coding = coding;
    this.#take = take;
    this.#frames = coding === "zstd" ? new ZstdFrames() : undefined;
    this.#zlib = create(coding, rawDeflate);
    this.#zlib.on("data", (chunk: Uint8Array) => this.#made(chunk));
    this.#zlib.on("end", () => this.#ended());
    this.#zlib.on("error", (error) => this.#fail(contentError(`${this.#coding}: ${error.message}`, error)));
  }

  /** Resolves when `chunk` is decoded and all of it taken; until then its bytes must not change. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#frames === undefined) return this.#give(chunk);
    // A frame at a time: behind the end of one the decoder takes no more of the same chunk.
    for (let at = 0; at < chunk.length; ) {
      let end: number;
      try {
        end = this.#frames.scan(chunk, at);
      } catch (error) {
        this.#fail(error);
        throw error;
      }
      await this.#give(chunk.subarray(at, end));
      at = end;
    }
  }

  /** Resolves when everything was taken. Rejects when the content is not complete. */
  async end(): Promise<void> {
    if (this.#frames?.complete === false) this.#fail(contentError("zstd: unexpected end of a frame"));
    const over = this.#wait();
    if (this.#state === "open") this.#zlib.end();
    return over;
  }

  /** Frees everything now. Who waits goes on as if all had been taken. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#zlib.destroy();
    this.#settle();
  }

  #give(chunk: Uint8Array): Promise<void> {
    this.#given += chunk.length;
    if (this.#state === "ended") this.#checkEnd();
    const over = this.#wait();
    if (this.#state !== "open") return over;
    this.#consumed = false;
    this.#zlib.write(chunk, () => {
      this.#consumed = true;
      this.#settleIfTaken();
    });
    return over;
  }

  #wait(): Promise<void> {
    const waiting = new Deferred();
    this.#waiting = waiting;
    if (this.#failure !== undefined) waiting.reject(this.#failure);
    else if (this.#state !== "open") this.#settle();
    return waiting.promise;
  }

  #made(chunk: Uint8Array): void {
    if (this.#state === "closed") return;
    try {
      const taking = this.#take(chunk);
      if (!isPromiseLike(taking)) return this.#settleIfTaken();
      this.#taking = true;
      this.#zlib.pause();
      taking.then(
        () => this.#taken(),
        (error) => this.#fail(error),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  #taken(): void {
    this.#taking = false;
    if (this.#state === "closed") return;
    this.#zlib.resume();
    this.#settleIfTaken();
  }

  #settleIfTaken(): void {
    if (this.#consumed && !this.#taking && this.#zlib.readableLength === 0 && !this.#zlib.writableEnded)
      this.#settle();
  }

  /** The content has said that it is at its end: then nothing may follow. */
  #ended(): void {
    if (this.#state === "open") this.#state = "ended";
    this.#checkEnd();
    this.#settle();
  }

  #checkEnd(): void {
    if (this.#zlib.bytesWritten < this.#given)
      this.#fail(contentError(`${this.#coding}: bytes behind its end`));
  }

  #settle(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve();
  }

  #fail(error: unknown): void {
    if (this.#state === "closed") return;
    this.#failure = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
    this.close();
  }
}

interface WithZstd {
  createZstdDecompress(options: { chunkSize: number; params: Record<number, number> }): zlib.Gunzip;
  readonly constants: { readonly ZSTD_d_windowLogMax: number };
}

function create(coding: ContentCoding, rawDeflate: boolean): zlib.Gunzip | zlib.BrotliDecompress {
  const chunkSize = PIECE_SIZE;
  if (coding === "gzip") return zlib.createGunzip({ chunkSize });
  if (coding === "deflate")
    return rawDeflate ? zlib.createInflateRaw({ chunkSize }) : zlib.createInflate({ chunkSize });
  if (coding === "br") {
    // RFC 7932 ends at windows of 16 MiB; the large ones beyond it take up to a gigabyte.
    return zlib.createBrotliDecompress({
      chunkSize,
      params: { [zlib.constants.BROTLI_DECODER_PARAM_LARGE_WINDOW]: 0 },
    });
  }
  const { createZstdDecompress, constants } = zlib as unknown as WithZstd;
  return createZstdDecompress({ chunkSize, params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } });
}
