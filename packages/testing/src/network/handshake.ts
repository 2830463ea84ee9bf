// Connecting: a packet there, one back, one there again, and again after a second when the first was lost.
//
//   client ──SYN──► server        nobody listens: a refusal comes back. Queue full, host cut off, port dropped: silence,
//          ◄─SYN/ACK─ ; ──ACK──►  and another SYN after 1, 2, 4 … seconds, until ETIMEDOUT after two minutes.

import type { IOLoop, Timeout } from "@tw/ioloop";
import type { Transport } from "@tw/iostream";
import type { ConnectOptions } from "@tw/tcp";
import type { SimulatedConnection } from "./connection.js";
import { systemError } from "./errors.js";
import type { SimulatedListener } from "./listener.js";

/** How often a lost SYN is sent again; each time the wait doubles. As Linux does it: 127 s in all. */
const RETRIES = 6;
const FIRST_WAIT_MS = 1000;

/** What a handshake asks of the network. */
export interface Route {
  /** Whether packets between the two pass at this moment. */
  open(): boolean;
  /** One way, ms. */
  latency(): number;
  /** Who listens there; `"drop"` when packets to that port vanish. */
  listener(): SimulatedListener | "drop" | undefined;
  /** The connection has been made, both ends know of it. */
  made(): void;
  note(what: string): void;
}

/** Resolves with the client's end. Aborting rejects with the signal's reason, and the server never learns of it. */
export function shakeHands(
  loop: IOLoop,
  connection: SimulatedConnection,
  route: Route,
  options: ConnectOptions,
): Promise<Transport> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    let timer: Timeout | undefined;
    let placeAt: SimulatedListener | undefined;
    const after = (ms: number, then: () => void): void => {
      timer = loop.callLater(ms, then);
    };
    const end = (settle: () => void): void => {
      signal?.removeEventListener("abort", onAbort);
      settle();
    };
    const onAbort = (): void => {
      if (timer !== undefined) loop.removeTimeout(timer);
      placeAt?.release();
      end(() => reject(signal?.reason));
    };
    const fail = (code: string): void => {
      route.note(code);
      end(() => reject(systemError(code, "connect", options)));
    };
    const send = (retry: number): void => {
      route.note("SYN");
      const there = route.latency();
      const lost = (spent: number): void => {
        route.note("lost");
        const wait = FIRST_WAIT_MS * 2 ** retry;
        after(Math.max(0, wait - spent), () => (retry < RETRIES ? send(retry + 1) : fail("ETIMEDOUT")));
      };
      after(there, () => {
        const listener = route.open() ? route.listener() : "drop";
        const back = route.latency();
        if (listener === "drop") lost(there);
        else if (listener === undefined)
          after(back, () => (route.open() ? fail("ECONNREFUSED") : lost(there + back)));
        else if (!listener.promise()) lost(there);
        else {
          placeAt = listener;
          after(back, () => {
            if (route.open()) return made(listener);
            listener.release();
            placeAt = undefined;
            lost(there + back);
          });
        }
      });
    };
    const made = (listener: SimulatedListener): void => {
      route.note("connected");
      listener.prepare(connection);
      route.made();
      // From here on the server hears of it, whatever the client does.
      loop.callLater(route.latency(), () => listener.arrived(connection));
      end(() => resolve(connection.near));
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    send(0);
  });
}
