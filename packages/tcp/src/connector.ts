// Happy Eyeballs as Tornado's _Connector has it, which is RFC 6555 in its simplest form. The endpoints are cut in two:
// those of the first one's family, and the rest. Each queue tries one endpoint after the other.
//
//   primary    ──try──fails──try───────────────────────►  the first that is connected wins; the others are given up
//   secondary        └─starts 300 ms after the first try, or when it fails──try──►
//
// When both queues are empty the last error is the result.

import type { Timeout } from "@tw/ioloop";
import type { Transport } from "@tw/iostream";
import { Deferred } from "@tw/util";
import type { Endpoint } from "./resolver.js";

/** How long the other family waits for the first. */
const HEAD_START_MS = 300;

/** What a {@link Connector} needs of a loop. */
export interface ConnectorClock {
  callLater(delayMs: number, fn: () => void): Timeout;
  removeTimeout(handle: Timeout): void;
}

/** Tries one endpoint; leaves nothing open when `signal` aborts. */
export type ConnectOne = (endpoint: Endpoint, signal: AbortSignal) => Promise<Transport>;

/**
 * Connects to the first endpoint that answers.
 *
 * @throws the error of the attempt that failed last, or `signal.reason`; nothing is left open then
 */
export async function connectAny(
  clock: ConnectorClock,
  endpoints: readonly [Endpoint, ...Endpoint[]],
  connectOne: ConnectOne,
  signal: AbortSignal,
): Promise<Transport> {
  signal.throwIfAborted();
  const connector = new Connector(clock, endpoints, connectOne);
  const onAbort = (): void => connector.giveUp(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  connector.start();
  try {
    return await connector.connected;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

class Connector {
  readonly #clock: ConnectorClock;
  readonly #connectOne: ConnectOne;
  readonly #primary: Endpoint[];
  readonly #secondary: Endpoint[];
  readonly #attempts = new AbortController();
  readonly #result = new Deferred<Transport>();
  #headStart: Timeout | undefined;
  #done = false;
  /** Attempts under way. */
  #trying = 0;

  constructor(clock: ConnectorClock, endpoints: readonly [Endpoint, ...Endpoint[]], connectOne: ConnectOne) {
    const [{ family }] = endpoints;
    this.#clock = clock;
    this.#connectOne = connectOne;
    this.#primary = endpoints.filter((endpoint) => endpoint.family === family);
    this.#secondary = endpoints.filter((endpoint) => endpoint.family !== family);
  }

  get connected(): Promise<Transport> {
    return this.#result.promise;
  }

  start(): void {
    if (this.#secondary.length > 0) {
      this.#headStart = this.#clock.callLater(HEAD_START_MS, () => this.#startSecondary());
    }
    this.#tryNext(this.#primary);
  }

  giveUp(reason: unknown): void {
    if (!this.#finish(reason)) return;
    this.#result.reject(reason);
  }

  #startSecondary(): void {
    if (this.#headStart === undefined || this.#done) return;
    this.#clock.removeTimeout(this.#headStart);
    this.#headStart = undefined;
    this.#tryNext(this.#secondary);
  }

  #tryNext(queue: Endpoint[]): void {
    const endpoint = queue.shift();
    if (endpoint === undefined) return;
    this.#trying++;
    this.#connectOne(endpoint, this.#attempts.signal).then(
      (transport) => this.#succeeded(transport),
      (error) => this.#failed(queue, error),
    );
  }

  #succeeded(transport: Transport): void {
    this.#trying--;
    // Two may be connected in the same turn, before the second could be given up.
    if (this.#finish()) this.#result.resolve(transport);
    else transport.abort();
  }

  #failed(queue: Endpoint[], error: unknown): void {
    this.#trying--;
    if (this.#done) return;
    this.#tryNext(queue);
    this.#startSecondary();
    if (this.#trying === 0) this.giveUp(error);
  }

  /** Gives up what is still under way. False when there is a result already. */
  #finish(reason?: unknown): boolean {
    if (this.#done) return false;
    this.#done = true;
    if (this.#headStart !== undefined) this.#clock.removeTimeout(this.#headStart);
    this.#attempts.abort(reason);
    return true;
  }
}
