// Reads that the addon does right before it calls sinks which would do nothing else first, and the calls of these sinks.
//
//   kernel ──read──► lane 0 │ lane 1 │ lane 2        one call of the addon's:  sink · ticks · sink · ticks · sink
//
//   words    [ next │ at by lane │ slot and events by lane, or 0 │ received by lane ]
//   allowed  [ 0 8 1 0 … ] by slot     whose events are read ahead of: the generation of the registration, + 1
//
// Both are shared with the addon, which looks at them at each event: changing them is no call. Nobody else has them.

import { runTicks } from "./between.js";
import type { NativePoller } from "./native.js";
import type { DeliveryTurns, PollHandle, PollSink, ReadAhead, ReadLane } from "./types.js";

/** A handle is generation × 2^24 + slot. */
export const SLOTS: number = 2 ** 24;

/** Slot and events in one small integer, which costs the addon less than two. */
export const EVENT_BITS = 6;
export const EVENTS: number = 2 ** EVENT_BITS - 1;

/** What {@link PollSink.onEvents} is told where nothing was read ahead. */
export const NOT_READ: number = -(2 ** 31);

// As in native/poller.c.
const LANES = 8;
const NEXT = 0;
const AT = 1;
const PACKED = AT + LANES;
const RECEIVED = PACKED + LANES;
const WORDS = RECEIVED + LANES;

/** Who is called for an event, by slot. */
type Sinks = readonly (PollSink | undefined)[];

/** The part of a {@link ReadAhead} that its poller has too. */
export class AheadState implements ReadAhead {
  turns: DeliveryTurns | undefined = undefined;
  readonly #words: Int32Array<ArrayBuffer> = new Int32Array(new ArrayBuffer(WORDS * 4));
  #allowed: Uint32Array<ArrayBuffer> = new Uint32Array(new ArrayBuffer(64 * 4));
  #native: NativePoller | undefined = undefined;
  #size = 0;
  #lanes: readonly Lane[] = [];
  readonly #sinks: Sinks;
  /** Lanes of the events that are delivered together. */
  #count = 0;
  /** Whose these events are, until it is their turn. */
  readonly #waiting: (PollSink | undefined)[] = new Array<PollSink | undefined>(LANES).fill(undefined);

  constructor(sinks: Sinks) {
    this.#sinks = sinks;
  }

  get lanes(): readonly ReadLane[] {
    return this.#lanes;
  }

  /** Gives it to its one user; false when somebody has it already. */
  take(native: NativePoller, size: number): boolean {
    if (this.#native !== undefined) return false;
    native.readAhead(this.#words, this.#allowed, size);
    this.#native = native;
    this.#size = size;
    // A sink of its own call each, where nothing else lets what the one before it has begun go on first.
    const count = runTicks === undefined ? 1 : LANES;
    this.#lanes = Array.from({ length: count }, (_, index) => new Lane(native, this.#words, index));
    return true;
  }

  /**
   * Calls the sinks of events that were read ahead of, in the first `count` lanes: all of them, however often one throws,
   * if it is called again for what is left.
   */
  deliver(count: number): void {
    const words = this.#words;
    const begins = words[NEXT] === 0;
    this.#count = count;
    if (begins) this.#gather(count);
    if (runTicks === undefined) return this.#callNext();
    this.turns?.begin();
    try {
      // Of one that threw, ticks and promises have not run.
      if (!begins) this.#settle(runTicks);
      while ((words[NEXT] as number) < count) {
        this.#callNext();
        this.#settle(runTicks);
      }
    } finally {
      this.turns?.end();
    }
  }

  #gather(count: number): void {
    for (let lane = 0; lane < count; lane++) {
      const packed = this.#words[PACKED + lane] as number;
      this.#waiting[lane] = packed === 0 ? undefined : this.#sinks[packed >> EVENT_BITS];
    }
  }

  #callNext(): void {
    const words = this.#words;
    const lane = words[NEXT] as number;
    words[NEXT] = lane + 1;
    const sink = this.#waiting[lane];
    if (sink === undefined) return;
    this.#waiting[lane] = undefined;
    sink.onEvents((words[PACKED + lane] as number) & EVENTS, words[RECEIVED + lane] as number, lane);
  }

  /** A registration has ended: what was read for it is nobody's, whoever has its slot now. */
  forget(handle: PollHandle): void {
    const lane = this.#laneOf(handle);
    if (lane !== -1) this.#waiting[lane] = undefined;
  }

  allow(handle: PollHandle, on: boolean): void {
    const generation = Math.floor(handle / SLOTS);
    const slot = handle - generation * SLOTS;
    if (on) {
      if (slot >= this.#allowed.length) this.#grow(slot);
      this.#allowed[slot] = generation + 1;
    } else if (this.#allowed[slot] === generation + 1) this.#allowed[slot] = 0;
  }

  reclaim(handle: PollHandle): Uint8Array<ArrayBuffer> | undefined | null {
    const lane = this.#laneOf(handle);
    if (lane === -1) return undefined;
    this.#waiting[lane] = undefined;
    return this.#lanes[lane]?.copy(this.#words[RECEIVED + lane] as number);
  }

  /** Where it waits; −1 when it does not. */
  #laneOf(handle: PollHandle): number {
    if ((this.#words[NEXT] as number) >= this.#count) return -1;
    const slot = handle % SLOTS;
    for (let lane = 0; lane < this.#lanes.length; lane++) {
      if (this.#waiting[lane] === undefined) continue;
      if ((this.#words[PACKED + lane] as number) >> EVENT_BITS === slot) return lane;
    }
    return -1;
  }

  /**
   * Runs what a sink has begun. A tick that throws leaves its asynchronous context behind. Node takes that away, and with
   * it that of our call, when it hears of the exception: so it hears of it here, and the call ends.
   */
  #settle(runTicks: () => void): void {
    try {
      do runTicks();
      while (this.turns?.settled() === true);
    } catch (error) {
      this.#native?.failed(error);
      throw error;
    }
  }

  #grow(slot: number): void {
    const room = new Uint32Array(new ArrayBuffer(4 * 2 ** Math.ceil(Math.log2(slot + 1))));
    room.set(this.#allowed);
    this.#allowed = room;
    this.#native?.readAhead(this.#words, this.#allowed, this.#size);
  }
}

class Lane implements ReadLane {
  readonly #native: NativePoller;
  readonly #words: Int32Array;
  readonly #index: number;
  #buffer: ArrayBuffer | undefined = undefined;

  constructor(native: NativePoller, words: Int32Array, index: number) {
    this.#native = native;
    this.#words = words;
    this.#index = index;
  }

  get at(): number {
    return this.#words[AT + this.#index] as number;
  }

  set at(offset: number) {
    this.#words[AT + this.#index] = offset;
  }

  into(buffer: ArrayBuffer): void {
    this.#native.readAheadInto(this.#index, buffer);
    this.#buffer = buffer;
  }

  /** What was read into it; null when it was detached meanwhile. */
  copy(received: number): Uint8Array<ArrayBuffer> | undefined | null {
    if (received <= 0 || this.#buffer === undefined) return undefined;
    if (this.#buffer.byteLength === 0) return null;
    return new Uint8Array(this.#buffer.slice(this.at, this.at + received));
  }
}
