// What the loop's thread and the watchdog's thread share: a counter that moves with every job, and what is running.
//
//   words │ SEQ │ RUNNING = name << 2 | kind │ LABEL length │ LABELLED = SEQ of the label │ GONE │
//   bytes │ label, 256 │ names: 1000 slots of 64, the first byte is the length │
//
// The loop writes and never waits. Names are written once each, so that a job costs two stores when it begins and one
// when it ends; the other thread can read them while the loop sits in a native call and can tell nothing itself.

import type { RunningJob, RunningKind } from "./report.js";

/** How many different function names are told apart; what comes later reads as a function without a name. */
export const MAX_NAMES = 1000;

/**
 * How many names are read between two pulses: reading one costs as much as half a callback, so that a loop with
 * a hundred thousand of them in a second goes without the later ones.
 */
export const NAMES_PER_PULSE = 2000;

const KINDS: readonly RunningKind[] = ["outside", "callback", "timer", "handler"];
export const OUTSIDE = 0;
export const CALLBACK = 1;
export const TIMER = 2;
export const HANDLER = 3;

const SEQ = 0;
const RUNNING = 1;
const LABEL = 2;
const LABELLED = 3;
const GONE = 4;
const HEAD_BYTES = 32;
const LABEL_BYTES = 256;
const NAME_BYTES = 64;
const NAMES_AT = HEAD_BYTES + LABEL_BYTES;

/** The memory that one loop and its watchdog share: 63 KiB. */
export function makeMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(NAMES_AT + (MAX_NAMES + 1) * NAME_BYTES);
}

/** How code that runs on the loop says what it is doing. Only there while a watchdog is set: `loop.activity?.…`. */
export interface LoopActivity {
  /**
   * Begins a piece of work that the loop did not start itself, such as a transport's I/O event: the time it may take
   * starts anew. Call {@link leave} when it returns, in a `finally`.
   */
  enter(fn: { readonly name: string }): void;
  /** Ends what {@link enter} began. What follows (continuations of promises) is outside the loop's jobs again. */
  leave(): void;
  /**
   * Names what is running in the words of a layer above, up to 256 bytes, until it returns: `GET /report`. In parts, because
   * joining them costs more than noting them.
   */
  describe(label: string, ...more: string[]): void;
}

/** The writing side, on the loop's thread. */
export class Activity implements LoopActivity {
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  readonly #ids = new Map<string, number>([["", 0]]);
  #seq = 0;
  #last: unknown;
  #lastName: unknown = "";
  #nameBits = 0;
  #toRead = NAMES_PER_PULSE;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, HEAD_BYTES / 4);
    this.#bytes = Buffer.from(memory);
  }

  /** A job of the loop begins. */
  begin(kind: number, fn: { readonly name: string }): void {
    if (fn !== this.#last) this.#nameIt(fn);
    const words = this.#words;
    words[RUNNING] = this.#nameBits | kind;
    words[SEQ] = this.#seq = (this.#seq + 1) | 0;
  }

  enter(fn: { readonly name: string }): void {
    this.begin(HANDLER, fn);
  }

  leave(): void {
    this.#words[RUNNING] = OUTSIDE;
  }

  describe(label: string, ...more: string[]): void {
    let end = this.#append(HEAD_BYTES, label);
    for (let i = 0; i < more.length; i++) end = this.#append(end, more[i] as string);
    this.#words[LABEL] = end - HEAD_BYTES;
    this.#words[LABELLED] = this.#seq;
  }

  /** Writes a part of the label at `at`, and returns where it ends. ASCII byte by byte: calling an encoder costs more. */
  #append(at: number, part: string): number {
    const bytes = this.#bytes;
    const room = NAMES_AT - at;
    const length = Math.min(part.length, room);
    for (let i = 0; i < length; i++) {
      const c = part.charCodeAt(i);
      if (c > 0x7f) return at + i + bytes.write(part.slice(i), at + i, room - i, "utf8");
      bytes[at + i] = c;
    }
    return at + length;
  }

  /** Says that the loop turns, although it has no work. */
  pulse(): void {
    // What the last job called is kept alive no longer than until here.
    this.#last = undefined;
    this.#toRead = NAMES_PER_PULSE;
    this.#words[SEQ] = this.#seq = (this.#seq + 1) | 0;
  }

  /** Blocks until {@link ActivityReader.leave} or for `ms`. Only for a process that is ending. */
  waitUntilGone(ms: number): void {
    Atomics.wait(this.#words, GONE, 0, ms);
  }

  #nameIt(fn: { readonly name: string }): void {
    this.#last = fn;
    const name = this.#toRead > 0 ? fn.name : "";
    this.#toRead--;
    if (name === this.#lastName) return;
    this.#lastName = name;
    this.#nameBits = this.#idOf(name) << 2;
  }

  #idOf(name: unknown): number {
    // A function may carry anything as its name.
    const text = typeof name === "string" ? name : "";
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    if (this.#ids.size > MAX_NAMES) return 0;
    const id = this.#ids.size;
    const at = NAMES_AT + id * NAME_BYTES;
    this.#bytes[at] = this.#bytes.write(text, at + 1, NAME_BYTES - 1, "utf8");
    this.#ids.set(text, id);
    return id;
  }
}

/** The reading side, on the watchdog's thread. */
export class ActivityReader {
  readonly #words: Int32Array;
  readonly #bytes: Buffer;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, HEAD_BYTES / 4);
    this.#bytes = Buffer.from(memory);
  }

  /** Changes whenever a job begins or ends, and when the loop turns. */
  get seq(): number {
    const running = Atomics.load(this.#words, RUNNING) === OUTSIDE ? 0 : 1;
    return Atomics.load(this.#words, SEQ) * 2 + running;
  }

  /** Tells the loop's thread that the watchdog has let go of it. */
  leave(): void {
    Atomics.store(this.#words, GONE, 1);
    Atomics.notify(this.#words, GONE);
  }

  /** What is running. Consistent only if {@link seq} is the same before and after. */
  running(): RunningJob {
    const words = this.#words;
    const running = Atomics.load(words, RUNNING);
    const kind = KINDS[running & 3] ?? "outside";
    const labelled = kind !== "outside" && Atomics.load(words, LABELLED) === Atomics.load(words, SEQ);
    const label = labelled
      ? this.#bytes.toString("utf8", HEAD_BYTES, HEAD_BYTES + Atomics.load(words, LABEL))
      : "";
    const at = NAMES_AT + (running >> 2) * NAME_BYTES;
    const name = this.#bytes.toString("utf8", at + 1, at + 1 + (this.#bytes[at] ?? 0));
    return { kind, name: kind === "outside" ? "" : name, label };
  }
}
