// One file on its way to a peer.
//
//   offset ──► ├─ view: read, and not taken ─┤── still in the file ──┤
//              ├───────────────────── left ──────────────────────────┤
//
// Its promise settles when nothing of ours uses the descriptor any more: a read that the thread pool is busy with is
// waited for, because a descriptor that is closed under it may have been given out again, to somebody else's file.

import { AsyncResource } from "node:async_hooks";
import { read } from "node:fs";
import { Deferred } from "@tw/util";
import { givePiece, takePiece } from "./file-pieces.js";
import type { FileRange } from "./file-range.js";
import type { WriteQueue } from "./write-queue.js";

/** What became of a read: an error of the system, or how many bytes came. */
export type FileReadEnd = (error: Error | null, count: number) => void;

/** A file that is being sent, in the async context of whoever sends it. */
export class FileSend extends AsyncResource {
  readonly fd: number;
  offset: number;
  /** Bytes that the transport has not taken. */
  left: number;
  /** What leaves right before it. */
  ahead: WriteQueue | undefined = undefined;
  view: Uint8Array | undefined = undefined;
  /** Called when it is over, by whoever watches a signal. */
  whenOver: (() => void) | undefined = undefined;
  readonly #done = new Deferred();
  #piece: Uint8Array | undefined;
  #reading = false;
  #failure: { readonly reason: unknown } | undefined;

  constructor({ fd, offset, length }: FileRange) {
    super("TWSendFile", { requireManualDestroy: true });
    this.fd = fd;
    this.offset = offset;
    this.left = length;
    this.#done.promise.catch(ignore);
  }

  /** Resolves when all bytes have gone. The rejection counts as observed. */
  get promise(): Promise<void> {
    return this.#done.promise;
  }

  /** How many bytes of what leaves next are in memory. */
  get held(): number {
    return (this.ahead?.bytes ?? 0) + (this.view?.length ?? 0);
  }

  /** They, in order. */
  chunks(): (Uint8Array | string)[] {
    const { ahead, view } = this;
    if (ahead === undefined) return view === undefined ? [] : [view];
    return view === undefined ? ahead.chunks : [...ahead.chunks, view];
  }

  /** The next `count` bytes have gone. */
  advance(count: number): void {
    this.offset += count;
    this.left -= count;
    const { view } = this;
    if (view === undefined) return;
    if (count < view.length) {
      this.view = view.subarray(count);
      return;
    }
    this.view = undefined;
    givePiece(this.#piece as Uint8Array);
    this.#piece = undefined;
  }

  /** Reads the next bytes into `view`, without keeping the loop, and tells `done` unless it has failed meanwhile. */
  read(done: FileReadEnd): void {
    const piece = takePiece();
    this.#reading = true;
    read(this.fd, piece, 0, Math.min(this.left, piece.length), this.offset, (error, count) => {
      this.#reading = false;
      if (this.#failure === undefined && error === null && count > 0) {
        this.#piece = piece;
        this.view = piece.subarray(0, count);
      } else givePiece(piece);
      if (this.#failure === undefined) this.runInAsyncScope(done, undefined, error, count);
      else this.#reject(this.#failure.reason);
    });
  }

  /** It is sent. */
  finish(): void {
    this.whenOver?.();
    this.#done.resolve();
  }

  /** It will not be sent. Only the first reason counts. */
  fail(reason: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { reason };
    // A Node stream may hold the piece still: it is nobody's from now on, and garbage some time.
    this.view = undefined;
    this.#piece = undefined;
    if (!this.#reading) this.#reject(reason);
  }

  #reject(reason: unknown): void {
    this.whenOver?.();
    this.#done.reject(reason);
  }
}

function ignore(): void {}
