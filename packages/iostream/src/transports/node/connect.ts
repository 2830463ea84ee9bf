// Connecting with a Node socket that reads into one buffer of the loop instead of 64 KiB of its own per read: twice
// the bulk throughput (`onread`, which Node offers for sockets that it connects, not for those it accepts).
//
//   kernel ──read──► buffer of the loop ──copied──► slab range = view ──► receiver
//
// All sockets share the buffer, so a view of it could not be leased: the next socket's read would overwrite it.

import { createConnection, type NetConnectOpts, type Socket } from "node:net";
import type { IOLoop } from "@tw/ioloop";
import { READ_SIZE, SlabPool } from "../native/slab.js";
import { NodeTransport } from "./transport.js";

/** Options of {@link connectNodeSocket}: Node's own for TCP and Unix sockets, and `signal`. */
export type NodeConnectOptions = NetConnectOpts & {
  /** Aborting destroys the socket and rejects with the signal's reason; afterwards it has no effect. */
  readonly signal?: AbortSignal;
};

/**
 * Connects to a TCP port or a Unix socket (`path`). Nagle's algorithm is off unless `noDelay` is false.
 * Rejects with Node's error (`ECONNREFUSED`, `ENOENT`), or with `signal.reason`.
 */
export function connectNodeSocket(loop: IOLoop, options: NodeConnectOptions): Promise<NodeTransport> {
  const { signal, ...rest } = options;
  if (signal?.aborted) return Promise.reject(signal.reason);
  const reads = sharedReads(loop);
  return new Promise((resolve, reject) => {
    let transport: NodeTransport | undefined;
    const onread = {
      buffer: reads.buffer,
      callback: (count: number): boolean => {
        if (transport !== undefined) reads.deliver(transport, count);
        return true;
      },
    };
    const socket = createConnection({
      noDelay: true,
      ...rest,
      allowHalfOpen: true,
      onread,
    } as NetConnectOpts);
    // Nothing is read before somebody is there to receive it.
    socket.pause();
    const done = (): void => {
      socket.off("connect", connected);
      socket.off("error", failed);
      signal?.removeEventListener("abort", aborted);
    };
    const connected = (): void => {
      done();
      transport = new NodeTransport(loop, socket);
      resolve(transport);
    };
    const failed = (error: unknown): void => {
      done();
      reject(error);
    };
    const aborted = (): void => {
      done();
      discard(socket);
      reject(signal?.reason);
    };
    socket.on("connect", connected);
    socket.on("error", failed);
    signal?.addEventListener("abort", aborted);
  });
}

function discard(socket: Socket): void {
  socket.on("error", () => {});
  socket.destroy();
}

/** The read buffer of one loop. */
class SharedReads {
  readonly buffer: Uint8Array = new Uint8Array(READ_SIZE);
  readonly #slabs = new SlabPool();

  /** Delivers the first `count` bytes of the buffer as a view that can be leased. */
  deliver(transport: NodeTransport, count: number): void {
    const slabs = this.#slabs;
    try {
      const slab = slabs.current();
      slab.bytes.set(count === READ_SIZE ? this.buffer : this.buffer.subarray(0, count), slab.at);
      const view = slabs.reserve(slab, count);
      slabs.lease(count);
      transport.streamRead(view, () => slabs.endLease(slab, view, count));
    } catch (error) {
      transport.abort(error);
    }
  }
}

function sharedReads(loop: IOLoop): SharedReads {
  let reads = known.get(loop);
  if (reads === undefined) {
    reads = new SharedReads();
    known.set(loop, reads);
  }
  return reads;
}

const known = new WeakMap<IOLoop, SharedReads>();
