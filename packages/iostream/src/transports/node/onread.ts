// Where sockets that we connect or accept read to (`onread`): into memory of ours instead of 64 KiB of new memory per read.
//
//   small reads   kernel ──► buffer of the loop ──copied──► slab range = view     an idle socket owns nothing
//   bulk          kernel ──► buffer of the socket = view                          no copy; given away under a lease
//
// All idle sockets share one buffer, so a view of it could not be leased: the next socket's read would overwrite it.
// A read that fills it moves its socket to a buffer of its own, and one that does not fill that moves it back: the kernel has
// no more, and Node asks where to read to only behind a read, so what a socket has then it keeps while it is idle.

import { markAsUntransferable } from "node:worker_threads";
import type { IOLoop } from "@tw/ioloop";
import { Leases } from "../leases.js";
import { Beginnings, lostBytes, READ_SIZE, SlabPool } from "../slab.js";
import type { Lender } from "./reading.js";
import type { NodeTransport } from "./transport.js";

const SHARED_SIZE = 16 * 1024;

/** Buffers of a loop that no socket needs just now. */
const SPARE_BUFFERS = 8;

// Node reads to the address that it was told, whoever has the memory by then: it would write to what was transferred away,
// and freed. So what receivers see of a buffer cannot be transferred (`postMessage`, `structuredClone`). Where
// `ArrayBuffer.transfer` does it all the same (Node 22), the length is 0 afterwards.

/** The read memory of one loop. */
class LoopReads {
  readonly shared: Uint8Array = new Uint8Array(SHARED_SIZE);
  readonly beginnings: Beginnings = new Beginnings(this.shared);
  readonly slabs: SlabPool = new SlabPool();
  readonly leases: Leases = new Leases();
  readonly #spare: Uint8Array[] = [];

  takeBuffer(): Uint8Array {
    for (let spare = this.#spare.pop(); spare !== undefined; spare = this.#spare.pop())
      if (spare.length > 0) return spare;
    const fresh = new Uint8Array(READ_SIZE);
    markAsUntransferable(fresh.buffer);
    return fresh;
  }

  giveBuffer(buffer: Uint8Array): void {
    if (buffer.length > 0 && this.#spare.length < SPARE_BUFFERS) this.#spare.push(buffer);
  }
}

/** The `onread` option of one socket. */
export class SocketReads implements Lender {
  readonly #loop: LoopReads;
  /** Set when there is somebody to deliver to; the socket is paused before. */
  transport: NodeTransport | undefined = undefined;
  #own: Uint8Array | undefined;
  /** Bytes that the receiver holds by a promise. */
  #leased = 0;

  constructor(loop: IOLoop) {
    this.#loop = loopReads(loop);
  }

  /** Asked by Node once at first and after each read. */
  readonly buffer = (): Uint8Array => this.#own ?? this.#loop.shared;

  readonly callback = (count: number): boolean => {
    const { transport } = this;
    if (transport === undefined) return true;
    try {
      if (this.#own !== undefined) this.#deliverOwn(transport, this.#own, count);
      else this.#deliverShared(transport, count);
    } catch (error) {
      transport.abort(error);
    }
    return true;
  };

  #deliverShared(transport: NodeTransport, count: number): void {
    const { beginnings, slabs } = this.#loop;
    const slab = slabs.current();
    slab.bytes.set(beginnings.of(count), slabs.at);
    const view = slabs.reserve(slab, count);
    if (count === SHARED_SIZE) this.#own = this.#loop.takeBuffer();
    transport.streamRead(view, this, () => slabs.release(slab, view, count));
  }

  #deliverOwn(transport: NodeTransport, own: Uint8Array, count: number): void {
    if (own.length === 0) {
      this.#own = undefined;
      return transport.abort(lostBytes());
    }
    let leased = true;
    transport.streamRead(own.subarray(0, count), this, () => {
      leased = false;
    });
    const filled = count === READ_SIZE;
    // Under a lease the buffer is the receiver's until that ends, and garbage then.
    if (!leased && filled && own.length > 0) return;
    if (!leased) this.#loop.giveBuffer(own);
    this.#own = filled ? this.#loop.takeBuffer() : undefined;
  }

  beginLease(length: number): Error | undefined {
    this.#leased = length;
    return this.#loop.leases.begin(length);
  }

  endLease(): void {
    this.#loop.leases.end(this.#leased);
    this.#leased = 0;
  }
}

/** @internal The read memory of `loop`. */
export function loopReads(loop: IOLoop): LoopReads {
  let reads = known.get(loop);
  if (reads === undefined) {
    reads = new LoopReads();
    known.set(loop, reads);
  }
  return reads;
}

const known = new WeakMap<IOLoop, LoopReads>();
