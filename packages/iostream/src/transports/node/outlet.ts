// The writing side of a Node stream, with the answer the Transport contract wants: how many bytes went to the kernel.
//
// Node keeps a reference to a Buffer until the kernel has taken it, so such bytes do not count as taken: they stay the
// caller's, who offers them again after `onDrain`, and what Node has sent by then is skipped. Nothing is copied.
//
// A callback costs a tick, also where the kernel took everything at once. So a socket is given none; what it has to hold is
// followed by an empty piece, which goes when that has. Of other streams an empty piece might be more than that. What is one
// piece, as most answers are, goes past the stream of a socket: see at-once.ts.
//
// Between two batches the loop polls. Node destroys a socket to which it cannot write, with what is unread in it: of a
// server that answers within an upload and closes, that is the answer. Who polls first has read it by then.
//
//   offered  ├── gone at once ──┼── handed: Node holds them ──┼── not looked at ──┤
//             counted now        counted by the next `offer`

import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { IOLoop } from "@tw/ioloop";
import { canWriteAtOnce, writeAtOnce } from "./at-once.js";
import { isPlainSocket } from "./duplex.js";

/** Bytes given to Node at a time: large enough for bulk, small enough that progress shows. */
const BATCH = 256 * 1024;

/** Writes to one Node stream. */
export class Outlet {
  readonly #loop: IOLoop;
  readonly #duplex: Duplex;
  readonly #drained: () => void;
  /** Bytes at the front of the caller's queue that Node has been given. */
  #handed = 0;
  /** What is waited for before more is sent: that Node has sent what it was given, or that the loop has polled. */
  #waiting: "node" | "poll" | undefined;
  readonly #socket: Socket | undefined;
  readonly #atOnce: boolean;

  /** `drained` is called, outside any other call, when more may be offered. */
  constructor(loop: IOLoop, duplex: Duplex, drained: () => void) {
    this.#loop = loop;
    this.#duplex = duplex;
    this.#drained = drained;
    this.#socket = isPlainSocket(duplex) ? duplex : undefined;
    this.#atOnce = this.#socket !== undefined && canWriteAtOnce(this.#socket);
  }

  /** Sends as much as the kernel takes; returns how many bytes of `chunks` have gone. */
  offer(chunks: readonly (Uint8Array | string)[]): number {
    if (this.#waiting !== undefined) return 0;
    const only = chunks.length === 1 && this.#handed === 0 ? (chunks[0] as Uint8Array | string).length : 0;
    if (only > 0 && only <= BATCH) return this.#send(chunks, only) ? only : 0;
    let taken = 0;
    let skip = this.#handed;
    this.#handed = 0;
    let batch: (Uint8Array | string)[] = [];
    let size = 0;
    let sent = false;
    for (const chunk of chunks) {
      if (skip >= chunk.length) {
        skip -= chunk.length;
        taken += chunk.length;
        continue;
      }
      taken += skip;
      for (let at = skip; at < chunk.length; ) {
        if (sent) {
          this.#waitForPoll();
          return taken;
        }
        const end = Math.min(chunk.length, at + BATCH - size);
        batch.push(part(chunk, at, end));
        size += end - at;
        at = end;
        if (size < BATCH) break;
        if (!this.#send(batch, size)) return taken;
        sent = true;
        taken += size;
        batch = [];
        size = 0;
      }
      skip = 0;
    }
    if (size > 0 && this.#send(batch, size)) taken += size;
    return taken;
  }

  /** Gives one batch to Node. False: the kernel did not take it at once. */
  #send(batch: readonly (Uint8Array | string)[], size: number): boolean {
    const duplex = this.#duplex;
    const socket = this.#socket;
    const alone = this.#atOnce && batch.length === 1;
    const gone = alone ? writeAtOnce(socket as Socket, batch[0] as Uint8Array | string) : undefined;
    if (gone ?? this.#put(batch)) return true;
    this.#waiting = "node";
    if (duplex.errored !== null) return false; // nothing went, nor will: the stream is about to say so
    this.#handed = size;
    if (socket !== undefined) put(socket, "", this.#written);
    return false;
  }

  /** The same by the stream's own methods. */
  #put(batch: readonly (Uint8Array | string)[]): boolean {
    const duplex = this.#duplex;
    const last = batch.length - 1;
    if (last > 0) duplex.cork();
    for (let i = 0; i < last; i++) put(duplex, batch[i] as Uint8Array | string, undefined);
    put(duplex, batch[last] as Uint8Array | string, this.#socket === undefined ? this.#written : undefined);
    if (last > 0) duplex.uncork();
    return duplex.errored === null && duplex.writableLength === 0;
  }

  readonly #written = (error?: Error | null): void => {
    // They have not gone: the stream is about to say so.
    if (error !== undefined && error !== null) return;
    if (this.#waiting === "node" && this.#duplex.writableLength === 0) this.#waitForPoll();
  };

  #waitForPoll(): void {
    this.#waiting = "poll";
    if (this.#loop.closed) process.nextTick(this.#polled);
    else this.#loop.afterPoll(this.#polled);
  }

  readonly #polled = (): void => {
    this.#waiting = undefined;
    this.#drained();
  };
}

function part(chunk: Uint8Array | string, from: number, to: number): Uint8Array | string {
  if (from === 0 && to === chunk.length) return chunk;
  return typeof chunk === "string" ? chunk.slice(from, to) : chunk.subarray(from, to);
}

function put(
  duplex: Duplex,
  chunk: Uint8Array | string,
  written: ((error?: Error | null) => void) | undefined,
): void {
  if (typeof chunk === "string") duplex.write(chunk, "latin1", written);
  else duplex.write(chunk, written);
}
