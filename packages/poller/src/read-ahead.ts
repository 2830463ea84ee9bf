// Reads that the addon does right before it calls a sink which would do nothing else first.
//
//   words    [ at │ received ]         where the next read puts its bytes, and what came of the last one
//   allowed  [ 0 8 1 0 … ] by slot     whose events are read ahead of: the generation of the registration, + 1
//
// Both are shared with the addon, which looks at them at each event: changing them is no call. Nobody else has them.

import type { NativePoller } from "./native.js";
import type { PollHandle, ReadAhead } from "./types.js";

/** A handle is generation × 2^24 + slot. */
export const SLOTS: number = 2 ** 24;

/** What {@link PollSink.onEvents} is told where nothing was read ahead. */
export const NOT_READ: number = -(2 ** 31);

// As in native/poller.c.
const AT = 0;
const RECEIVED = 1;

/** The part of a {@link ReadAhead} that its poller has too. */
export class AheadState implements ReadAhead {
  readonly #words: Int32Array = new Int32Array(new ArrayBuffer(8));
  #allowed: Uint32Array = new Uint32Array(new ArrayBuffer(64 * 4));
  #native: NativePoller | undefined;
  #buffer: ArrayBuffer = new ArrayBuffer(0);
  #size = 0;

  constructor() {
    this.#words[RECEIVED] = NOT_READ;
  }

  /** What came of the read for the event that is being delivered. */
  get received(): number {
    return this.#words[RECEIVED] as number;
  }

  get at(): number {
    return this.#words[AT] as number;
  }

  set at(offset: number) {
    this.#words[AT] = offset;
  }

  /** Gives it to its one user; false when somebody has it already. */
  take(native: NativePoller, buffer: ArrayBuffer, size: number): boolean {
    if (this.#native !== undefined) return false;
    native.readAhead(this.#words, this.#allowed, buffer, size);
    this.#native = native;
    this.#buffer = buffer;
    this.#size = size;
    return true;
  }

  into(buffer: ArrayBuffer): void {
    this.#native?.readAhead(this.#words, this.#allowed, buffer, this.#size);
    this.#buffer = buffer;
  }

  allow(handle: PollHandle, on: boolean): void {
    const generation = Math.floor(handle / SLOTS);
    const slot = handle - generation * SLOTS;
    if (on) {
      if (slot >= this.#allowed.length) this.#grow(slot);
      this.#allowed[slot] = generation + 1;
    } else if (this.#allowed[slot] === generation + 1) this.#allowed[slot] = 0;
  }

  #grow(slot: number): void {
    const room = new Uint32Array(new ArrayBuffer(4 * 2 ** Math.ceil(Math.log2(slot + 1))));
    room.set(this.#allowed);
    this.#allowed = room;
    this.into(this.#buffer);
  }
}
