// The rest of a request that was answered before all of it had come: an upload that was refused, say, by its first bytes.
// Where the head of that answer did not say that the connection closes, the client may ask on behind what it still sends,
// as proxies do that keep connections for others, and what it asks would be lost (RFC 9112 §9.6). So the rest is read, as
// a body and never as a request, and nobody gets it; unless it is long, or slow:
//
//   answer ──► dropping ──its end─────────────────────────────► next request
//                  └──DROPPED_BYTES, time, broken framing──► end of our side, see ../lingering.ts

import type { HTTP1Machine } from "@tw/http1";
import type { Deadlines } from "../deadlines.js";
import { LINGER_TOTAL_MS, LINGER_UNREAD_MS } from "../lingering.js";

/** Bytes of one body that are read for the sake of what may come behind them. */
const DROPPED_BYTES = 256 * 1024;

/** What is left of one request. */
export class Dropping {
  readonly #deadlines: Deadlines;
  readonly #totalTick: number;
  #bytes = 0;

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
    this.#totalTick = deadlines.after(LINGER_TOTAL_MS);
  }

  /** The tick by which more must have come. */
  get quietTick(): number {
    return Math.min(this.#deadlines.after(LINGER_UNREAD_MS), this.#totalTick);
  }

  /**
   * Drops what the machine has of it: whether that was its end, or `undefined` when it is too long.
   *
   * @throws HTTPInputError when the peer broke the protocol
   */
  drop(machine: HTTP1Machine): boolean | undefined {
    for (;;) {
      const event = machine.next();
      if (event === undefined) return false;
      if (event.type === "end") return true;
      if (event.type !== "data") continue;
      this.#bytes += event.bytes.length;
      if (this.#bytes > DROPPED_BYTES) return undefined;
    }
  }
}
