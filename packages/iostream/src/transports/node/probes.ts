// Resets that Node does not look for: it watches no socket that is paused, or whose peer has half-closed, so a peer that
// breaks the connection then goes unnoticed until somebody reads or writes. Writing nothing asks the kernel: a broken
// socket answers with its error, any other sends nothing. One timer per loop asks for all of them, and only while there
// are any; a socket that is held for less than its interval is never asked.
//
// Where a reset comes right behind bytes, libuv takes the hang-up for an end without having read one. So an end, too, is
// believed when the kernel has been asked.

import type { Socket } from "node:net";
import type { IOLoop, Timeout } from "@tw/ioloop";
import { housekeeping } from "@tw/util";

/** How often a held socket is asked. */
export const PROBE_MS = 1000;

const NOTHING = new Uint8Array(0);

/** Has the kernel say whether the connection is broken: to `answer`, and then to all who listen for errors. */
export function askForReset(socket: Socket, answer?: (error?: Error | null) => void): void {
  socket.write(NOTHING, answer);
}

/** A transport that may have to be asked. */
export interface Probed {
  /** Its socket while it is held and nothing is on its way, which would show the error by itself. */
  readonly idleSocket: Socket | undefined;
  /** Whether it is neither paused nor half-closed any more. */
  readonly isFlowing: boolean;
}

/** The held sockets of one loop. */
class Probes {
  readonly #loop: IOLoop;
  readonly #held = new Set<Probed>();
  #timer: Timeout | undefined;

  constructor(loop: IOLoop) {
    this.#loop = loop;
  }

  add(transport: Probed): void {
    this.#held.add(transport);
    if (this.#loop.closed) return; // nobody waits there any more
    this.#timer ??= this.#loop.callLater(PROBE_MS, this.#probe).unref();
  }

  delete(transport: Probed): void {
    if (!this.#held.delete(transport) || this.#held.size > 0 || this.#timer === undefined) return;
    this.#loop.removeTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #probe = housekeeping((): void => {
    this.#timer = undefined;
    for (const transport of this.#held) {
      if (transport.isFlowing) this.#held.delete(transport);
      else {
        const socket = transport.idleSocket;
        if (socket !== undefined) askForReset(socket);
      }
    }
    if (this.#held.size > 0) this.#timer = this.#loop.callLater(PROBE_MS, this.#probe).unref();
  });
}

/** The probes of `loop`. */
export function probesOf(loop: IOLoop): Probes {
  let probes = known.get(loop);
  if (probes === undefined) {
    probes = new Probes(loop);
    known.set(loop, probes);
  }
  return probes;
}

const known = new WeakMap<IOLoop, Probes>();
