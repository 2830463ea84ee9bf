// The bytes that were received and not consumed yet. Normally that is the caller's view itself; only what a message
// leaves incomplete is copied, into a buffer of our own that grows by doubling, so that a head that drips in byte by
// byte costs linear time.
//
//        at                 end
//   ┌────┬──────────────────┬──────────────┐
//   │ …  │  not consumed    │  spare       │   buf
//   └────┴──────────────────┴──────────────┘

import { EMPTY_BYTES } from "@tw/util";
import { forgetCopy } from "./whole-sections.js";

/** Bytes of heads that are decoded together. */
const TEXT_BATCH = 4096;

/** A window on bytes. `at` and `end` are moved by the readers. */
export class InputWindow {
  buf: Uint8Array = EMPTY_BYTES;
  at = 0;
  end = 0;
  /** Bytes from `at` on that a scan has seen already, in an incomplete section; 0 outside of one. */
  scanned = 0;
  /** Where, from `at` on, the line begins in which that scan stopped. */
  lineStart = 0;
  /** `buf` is ours, and its spare bytes may be written. */
  #owned = false;
  /** A piece of `buf`, decoded, and where it stands. */
  #text = "";
  #textAt = 0;

  get length(): number {
    return this.end - this.at;
  }

  /** Whether one byte is left, a CR. */
  get isLoneCR(): boolean {
    return this.length === 1 && this.buf[this.at] === 0x0d;
  }

  /** Puts `view` behind what is left. With nothing left the view itself is used, without copying. */
  push(view: Uint8Array): void {
    forgetCopy(this);
    if (this.at === this.end) {
      this.buf = view;
      this.#text = "";
      this.at = 0;
      this.end = view.length;
      this.#owned = false;
      return;
    }
    this.#reserve(view.length);
    this.buf.set(view, this.end);
    this.end += view.length;
  }

  /**
   * The bytes from `at` to `end` as latin1. Calling a decoder costs as much as reading a small head does: where another
   * message of the same kind follows, as pipelined requests do, it is decoded along with this one.
   */
  text(at: number, end: number, decode: (bytes: Uint8Array, start: number, end: number) => string): string {
    const { buf } = this;
    const from = at - this.#textAt;
    const to = end - this.#textAt;
    if (from >= 0 && to <= this.#text.length) return this.#text.substring(from, to);
    if (end === this.end || buf[end] !== buf[at]) return decode(buf, at, end);
    this.#text = decode(buf, at, Math.max(end, Math.min(this.end, at + TEXT_BATCH)));
    this.#textAt = at;
    return this.#text.substring(0, end - at);
  }

  /** Lets go of whatever it holds. */
  clear(): void {
    forgetCopy(this);
    this.buf = EMPTY_BYTES;
    this.at = 0;
    this.end = 0;
    this.scanned = 0;
    this.lineStart = 0;
    this.#owned = false;
    this.#text = "";
  }

  /** Copies what is left of a view, so that the view may be reused. */
  own(): void {
    if (!this.#owned) this.#reserve(0);
  }

  #reserve(extra: number): void {
    const length = this.end - this.at;
    if (this.#owned && this.end + extra <= this.buf.length) return;
    const grown = new Uint8Array(this.#owned ? Math.max(2 * length, length + extra) : length + extra);
    grown.set(this.buf.subarray(this.at, this.end));
    forgetCopy(this);
    this.buf = grown;
    this.#text = "";
    this.at = 0;
    this.end = length;
    this.#owned = true;
  }
}
