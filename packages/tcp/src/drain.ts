// How a server that accepts no more waits for its connections. Those that are arriving hear of nothing and may never say
// anything: they have a moment to come through the header of a proxy or a handshake, and are not waited for any longer.

import type { IOLoop, Timeout } from "@tw/ioloop";
import { TwError } from "@tw/util";
import type { Connections } from "./connections.js";
import type { DrainResult } from "./server-options.js";

/** How long a connection may still be arriving. */
const ARRIVAL_GRACE_MS = 1000;

/** One drain of one server, however often it was asked for. */
export class Drain {
  readonly #loop: IOLoop;
  readonly #connections: Connections;
  /** What became of the connections that were there when nothing was accepted any more. */
  readonly result: Promise<DrainResult>;
  #timers: Timeout[] = [];
  #deadline = Number.POSITIVE_INFINITY;
  /** How many that were, from then on. */
  #before: number | undefined;
  #turnedAway = 0;
  #aborted: number | undefined;

  /** `stopped` resolves when nothing is accepted any more. */
  constructor(loop: IOLoop, connections: Connections, stopped: Promise<void>) {
    this.#loop = loop;
    this.#connections = connections;
    this.result = this.#run(stopped);
  }

  /** Ends it after `timeoutMs` at the latest, whatever was said before. */
  within(timeoutMs: number): void {
    const deadline = this.#loop.time() + timeoutMs;
    if (this.#loop.closed || deadline >= this.#deadline) return;
    this.#deadline = deadline;
    this.#stopTimers();
    const graceMs = Math.min(ARRIVAL_GRACE_MS, timeoutMs / 2);
    this.#timers = [
      // After a blocked loop what a peer sent may wait in the kernel.
      this.#loop.callLater(graceMs, () => this.#loop.afterPoll(() => this.#closeArriving())),
      this.#loop.callLater(timeoutMs, () => this.#abort()),
    ];
  }

  async #run(stopped: Promise<void>): Promise<DrainResult> {
    await stopped;
    this.#before = this.#connections.size;
    if (this.#loop.closed || this.#loop.time() >= this.#deadline) this.#abort();
    await this.#connections.whenEmpty();
    this.#stopTimers();
    const aborted = this.#turnedAway + (this.#aborted ?? 0);
    return { finished: this.#before - aborted, aborted };
  }

  #closeArriving(): void {
    if (this.#before === undefined || this.#aborted !== undefined) return;
    this.#turnedAway += this.#connections.arriving;
    this.#connections.closeArriving();
  }

  #abort(): void {
    if (this.#before === undefined || this.#aborted !== undefined) return;
    // Who was turned away just now may not be gone yet, and counts once.
    const leaving = this.#turnedAway === 0 ? 0 : this.#connections.arriving;
    const reason = new TwError("ERR_TW_DRAINING", "Still open at the deadline of drain()");
    this.#aborted = this.#connections.abortAll(reason) - leaving;
  }

  #stopTimers(): void {
    for (const timer of this.#timers) this.#loop.removeTimeout(timer);
  }
}
