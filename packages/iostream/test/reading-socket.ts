// The reads of a socket without the socket: whoever calls `callback` is the kernel.
import type { IOLoop } from "@tw/ioloop";
import { SocketReads } from "../src/transports/node/onread.js";
import type { NodeTransport } from "../src/transports.js";
import { testLoop } from "./helpers.js";

/** A socket of a loop, what it was given, and how it was aborted. */
export interface ReadingSocket {
  readonly reads: SocketReads;
  readonly views: Uint8Array[];
  readonly aborted: unknown[];
}

export function readingSocket(loop: IOLoop = testLoop()): ReadingSocket {
  const views: Uint8Array[] = [];
  const aborted: unknown[] = [];
  const reads = new SocketReads(loop);
  reads.transport = {
    streamRead(view: Uint8Array, _lender: unknown, ended: () => void) {
      views.push(view);
      ended();
    },
    abort: (reason: unknown) => aborted.push(reason),
  } as unknown as NodeTransport;
  return { reads, views, aborted };
}
