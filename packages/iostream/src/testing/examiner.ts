// What the sections of the suite share: making an examined pair, waiting for things to happen, and for them not to.

import type { Transport } from "../transport.js";
import { Side } from "./side.js";

/** A connected pair to be examined. */
export interface TransportPair {
  readonly a: Transport;
  readonly b: Transport;
  /** Lets what is under way happen: a few turns of the loop, a few milliseconds where there is a kernel. */
  settle(): Promise<void>;
  /** Whether the peer of an aborted transport sees `ECONNRESET` (TCP does, a Unix socket sees an end). @default false */
  readonly resets?: boolean;
  /** Timers, watchers and descriptors of the pair that are still there; must be 0 when both ends are closed. */
  resources?(): number;
}

/** What not every transport has. */
export interface ConformanceOptions {
  /** Examines `sendFile`, too. @default false */
  readonly sendsFiles?: boolean;
  /** Examines `writePage`, too. @default false */
  readonly writesPages?: boolean;
}

/** Makes a new pair for each test. Transports are not started. */
export type MakePair = () => TransportPair | Promise<TransportPair>;

/** The part of a test runner that the suite needs; vitest's, Jest's and Node's own fit. */
export interface TestRunner {
  describe(name: string, define: () => void): void;
  it(name: string, run: () => Promise<void>): void;
}

/** Rounds of `settle` before something that should happen has not happened. */
const PATIENCE = 3000;

/** Both ends of one connection under examination. */
export class Examiner {
  readonly a: Side;
  readonly b: Side;
  readonly #pair: TransportPair;

  constructor(pair: TransportPair) {
    this.#pair = pair;
    this.a = new Side(pair.a);
    this.b = new Side(pair.b);
  }

  get resets(): boolean {
    return this.#pair.resets === true;
  }

  startBoth(): void {
    this.a.start();
    this.b.start();
  }

  /** Waits until `condition` holds. */
  async until(what: string, condition: () => boolean): Promise<void> {
    for (let i = 0; i < PATIENCE; i++) {
      if (condition()) return;
      await this.#pair.settle();
    }
    throw new Error(`Never happened: ${what}; a: ${this.a.calls.join(" ")}; b: ${this.b.calls.join(" ")}`);
  }

  /** Waits long enough for something that must not happen. */
  async quiet(): Promise<void> {
    for (let i = 0; i < 8; i++) await this.#pair.settle();
  }

  /** Ends both sides and checks that nothing was broken on the way. */
  async finish(): Promise<void> {
    this.a.abort();
    this.b.abort();
    await this.until("both ends closed", () => this.a.closed && this.b.closed);
    await this.quiet();
    same(this.a.closes, 1, "onClose of a came once");
    same(this.b.closes, 1, "onClose of b came once");
    same([...this.a.violations, ...this.b.violations], [], "nothing was broken");
    if (this.#pair.resources !== undefined) same(this.#pair.resources(), 0, "resources are gone");
  }
}

/** Throws unless both are the same as JSON. */
export function same(actual: unknown, expected: unknown, what: string): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) throw new Error(`${what}: expected ${should}, got ${is}`);
}

export function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(`Not so: ${what}`);
}
