// How a connection ends: our side first, when the answer is out, and then the peer's. A socket that is closed with
// unread bytes, or to which more bytes come, sends a reset, which may overtake the answer and destroy it (RFC 9112
// §9.6). A client that sends a long body before it reads would never learn why it was refused. So what it still sends
// is read and dropped, for a time, however much comes in it: reading what nobody keeps costs little, and a peer that is
// left to fill the kernel's buffers waits there, not knowing why, until a reset ends both that and the answer:
//
//   answer ──► FIN ──► dropping ──FIN of the peer──────► closed by both
//                         └──quiet, LINGER_TOTAL_MS──► closed by us

import type { IOStream } from "@tw/iostream";
import type { ServerContext } from "./server-context.js";
import { WriteWatch } from "./write-watch.js";

/** How long a peer that has asked for nothing more may be silent. */
const LINGER_MS = 2000;

/** How long one may be silent that has not sent all of the request that was answered. */
export const LINGER_UNREAD_MS = 5000;

/** How long what is sent to nobody is read. */
export const LINGER_TOTAL_MS = 30_000;

/** The last phase of one connection. It says by which tick it wants to be asked again. */
export class Lingering {
  readonly #server: ServerContext;
  readonly #stream: IOStream;
  readonly #quietTicks: number;
  #totalTick: number;
  /** There while the answer is not out. */
  #watch: WriteWatch | undefined;

  /** Half-closes `stream` behind what is queued. `unread`: a part of the last request may be on its way. */
  constructor(server: ServerContext, stream: IOStream, unread: boolean) {
    const { deadlines } = server;
    this.#server = server;
    this.#stream = stream;
    this.#quietTicks = deadlines.ticks(unread ? LINGER_UNREAD_MS : LINGER_MS);
    this.#totalTick = deadlines.after(LINGER_TOTAL_MS);
    stream.end();
    stream.resume();
  }

  /** When to call {@link look}, if nothing comes. */
  get quietTick(): number {
    return Math.min(this.#server.deadlines.tick + this.#quietTicks, this.#totalTick);
  }

  /** Bytes came and are dropped; when to look, given when it would have been. */
  dropped(deadline: number): number {
    // As long as the answer is not out, nothing that comes may end the wait for that.
    return this.#watch === undefined ? this.quietTick : deadline;
  }

  /** The answer is out. */
  sent(): number {
    this.#watch = undefined;
    this.#totalTick = this.#server.deadlines.after(LINGER_TOTAL_MS);
    return this.quietTick;
  }

  /** When to look again; 0 when it is over. */
  look(): number {
    const { pace, deadlines, lookTicks } = this.#server;
    if (!this.#stream.writing) return this.#watch === undefined ? 0 : this.sent();
    this.#watch ??= new WriteWatch();
    if (lookTicks === 0) return deadlines.tick + this.#quietTicks;
    return this.#watch.look(this.#stream, pace) ? deadlines.tick + lookTicks : 0;
  }
}
