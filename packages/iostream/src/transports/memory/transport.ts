// One end of a pair of transports without a kernel: bounded capacity, latency by the loop's timers, and faults on
// demand. It makes one call to its receiver per turn of the loop, so that continuations run between them as they do
// between the events of sockets.

import { type IOLoop, LazyAsyncResource, type Timeout } from "@tw/ioloop";
import { isPromiseLike, logSafely } from "@tw/util";
import { inNextTurn } from "../../next-turn.js";
import type { Transport, TransportInfo, TransportReceiver } from "../../transport.js";
import { brokenPipe } from "../broken-pipe.js";
import { Inbox } from "./inbox.js";
import { type MemoryPairOptions, type MemorySettings, memorySettings } from "./options.js";

/** What a released view is overwritten with. */
const POISON = 0xdb;

/** How a connection ends, and when this end hears of it. */
interface Fate {
  readonly error: unknown;
  readonly due: number;
}

/**
 * A connected pair of transports in memory, for tests and simulated networks.
 *
 * @example
 * const [client, server] = memoryPair(loop, { latencyMs: 5, chunk: () => 1 });
 * const stream = new IOStream(client, { loop });
 *
 * @throws RangeError when an option is out of its range
 */
export function memoryPair(
  loop: IOLoop,
  options: MemoryPairOptions = {},
): [MemoryTransport, MemoryTransport] {
  const first = new MemoryTransport(loop, options);
  return [first, new MemoryTransport(loop, options, first)];
}

/**
 * One end of a {@link memoryPair}; made by hand where each end is to run in the async context of its own maker: the
 * second is given the first. `setRef` has no effect: there is no descriptor that keeps a process
 * alive.
 */
export class MemoryTransport extends LazyAsyncResource implements Transport {
  readonly info: TransportInfo;
  readonly #loop: IOLoop;
  readonly #settings: MemorySettings;
  readonly #inbox: Inbox;
  #peer: MemoryTransport | undefined;
  #receiver: TransportReceiver | undefined;
  #paused = false;
  #leased = false;
  /** Our writing side: `short` after a write that was not taken whole, `room` when `onDrain` is due. */
  #sending: "open" | "short" | "room" | "ended" = "open";
  /** When the peer's end arrives; `told` after `onEnd`. */
  #peerEnd: number | "told" | undefined;
  #fate: Fate | undefined;
  /** When the last of what we sent arrives: nothing overtakes it. */
  #lastArrival = 0;
  /** Nothing arrives; `reset` when one would have. */
  #held: "no" | "held" | "reset" = "no";
  #gone = false;
  /** By what the next turn comes: what a loop was asked for is dropped when it closes. */
  #scheduled: "no" | "turn" | "tick" = "no";
  #timer: Timeout | undefined;

  constructor(loop: IOLoop, options: MemoryPairOptions = {}, peer?: MemoryTransport) {
    super("TWMemoryTransport");
    this.#loop = loop;
    this.#settings = memorySettings(options);
    this.#inbox = new Inbox(this.#settings.capacity);
    this.info = { ...NOWHERE, ...options.info?.[peer === undefined ? 0 : 1] };
    if (peer === undefined) return;
    this.#peer = peer;
    peer.#peer = this;
  }

  get sendsViews(): boolean {
    return true;
  }

  start(receiver: TransportReceiver): void {
    this.#receiver = receiver;
    this.#schedule();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  write(chunks: readonly (Uint8Array | string)[]): number {
    if (this.#sending === "ended" || this.#fate !== undefined) return 0;
    const peer = this.#other;
    let wanted = 0;
    for (const chunk of chunks) wanted += chunk.length;
    if (peer.#fate !== undefined) {
      // As a socket does: the bytes are taken, and the answer is a reset, which behind an end is called otherwise.
      this.#reset(this.#peerEnd === undefined ? connectionReset("write") : brokenPipe(), this.#arrival(0));
      return wanted;
    }
    const { take } = this.#settings;
    const limit =
      take === undefined || wanted < 2 ? wanted : Math.min(Math.max(1, Math.trunc(take(wanted))), wanted);
    const taken = Math.min(limit, peer.#inbox.room);
    // What there is no room for is not on its way: it takes no time, and nothing waits behind it.
    if (taken > 0) peer.#inbox.put(chunks, taken, this.#arrival(taken));
    // Short for want of room it waits for the peer to read, else for the next turn.
    if (taken < wanted) this.#sending = peer.#inbox.room === 0 ? "short" : "room";
    peer.#schedule();
    this.#schedule();
    return taken;
  }

  end(): void {
    if (this.#sending === "ended" || this.#fate !== undefined) return;
    this.#sending = "ended";
    const peer = this.#other;
    peer.#peerEnd ??= this.#arrival(0);
    peer.#schedule();
    if (this.#peerEnd === "told") this.#doom(undefined, 0);
  }

  abort(reason?: unknown): void {
    if (this.#fate !== undefined) return;
    // Behind an end the peer learns of it from what it writes; if that waits for room here, there will be none.
    const unnoticed = this.#sending === "ended" && this.#other.#sending !== "short";
    this.#doom(reason, 0);
    if (!unnoticed) this.#other.#reset(connectionReset("read"), this.#arrival(0));
  }

  /** A fault: the network breaks the connection, both ends see `ECONNRESET`, bytes on their way are lost. */
  reset(): void {
    this.#doom(connectionReset("read"), 0);
    this.#other.#doom(connectionReset("read"), 0);
  }

  /** A fault: from now on nothing arrives at either end, resets neither, until {@link letGo}; nothing is lost. */
  hold(): void {
    for (const end of [this, this.#other]) if (end.#held === "no") end.#held = "held";
  }

  /** Ends a {@link hold}: what was sent meanwhile arrives now, in order. */
  letGo(): void {
    for (const end of [this, this.#other]) {
      const wasReset = end.#held === "reset";
      end.#held = "no";
      if (wasReset) end.#doom(connectionReset("read"), 0);
      end.#schedule();
    }
  }

  setRef(): void {}

  /** When what is sent now arrives at the peer. */
  #arrival(bytes: number): number {
    this.#lastArrival = Math.max(this.#lastArrival, this.#loop.time() + this.#settings.latencyMs(bytes));
    return this.#lastArrival;
  }

  /** The peer, or what is left of it, answers with a reset, which is here at `due`. */
  #reset(error: Error, due: number): void {
    if (this.#held === "no") this.#doom(error, due - this.#loop.time());
    else this.#held = "reset";
  }

  get #other(): MemoryTransport {
    return this.#peer as MemoryTransport;
  }

  #doom(error: unknown, inMs: number): void {
    if (this.#fate !== undefined) return;
    this.#fate = { error, due: this.#loop.time() + inMs };
    this.#schedule();
  }

  // ── Turns ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Sees to it that a turn comes when there is something to tell. */
  #schedule(): void {
    if (this.#gone || this.#receiver === undefined) return;
    if (this.#scheduled === "tick" || (this.#scheduled === "turn" && !this.#loop.closed)) return;
    const due = this.#due();
    if (due === undefined) return;
    if (this.#timer !== undefined) this.#loop.removeTimeout(this.#timer);
    this.#timer = undefined;
    const inMs = due - this.#loop.time();
    if (inMs <= 0) {
      this.#scheduled = this.#loop.closed ? "tick" : "turn";
      inNextTurn(this.#loop, this.#run);
    } else if (!this.#loop.closed) this.#timer = this.#loop.callLater(inMs, this.#run);
  }

  /** When the next call to the receiver is due. */
  #due(): number | undefined {
    let due = this.#sending === "room" ? 0 : this.#fate?.due;
    if (this.#waits) return due;
    const next = this.#inbox.due ?? (typeof this.#peerEnd === "number" ? this.#peerEnd : undefined);
    if (next !== undefined && (due === undefined || next < due)) due = next;
    return due;
  }

  /** Whether bytes and the end must wait. */
  get #waits(): boolean {
    return this.#paused || this.#leased || this.#held !== "no";
  }

  readonly #run = (): void => {
    this.#scheduled = "no";
    this.#timer = undefined;
    if (!this.#gone) this.runInAsyncScope(this.#turn, this);
    this.#schedule();
  };

  #turn(): void {
    const receiver = this.#receiver as TransportReceiver;
    const now = this.#loop.time();
    try {
      if (this.#fate !== undefined && this.#fate.due <= now) this.#finish(receiver, this.#fate.error);
      else if (this.#sending === "room") {
        this.#sending = "open";
        receiver.onDrain();
      } else if (this.#waits) return;
      else if (this.#inbox.due !== undefined) {
        if (this.#inbox.due <= now) this.#deliver(receiver, this.#inbox.take(now, this.#settings.chunk));
      } else if (typeof this.#peerEnd === "number" && this.#peerEnd <= now) {
        this.#peerEnd = "told";
        receiver.onEnd();
        if (this.#sending === "ended") this.#doom(undefined, 0);
      }
    } catch (error) {
      this.abort(error);
    }
  }

  #deliver(receiver: TransportReceiver, view: Uint8Array): void {
    let lease: unknown;
    try {
      lease = receiver.onBytes(view);
    } finally {
      if (!isPromiseLike(lease)) this.#release(view);
    }
    if (!isPromiseLike(lease)) return;
    this.#leased = true;
    const settled = () => {
      this.#leased = false;
      this.#release(view);
      this.#schedule();
    };
    lease.then(settled, (reason) => {
      this.abort(reason);
      settled();
    });
  }

  #release(view: Uint8Array): void {
    this.#inbox.release(view.length);
    if (this.#settings.poison) view.fill(POISON);
    const peer = this.#other;
    if (peer.#sending !== "short" || this.#inbox.room * 2 < this.#settings.capacity) return;
    peer.#sending = "room";
    peer.#schedule();
  }

  #finish(receiver: TransportReceiver, error: unknown): void {
    this.#gone = true;
    const unread = this.#leased ? undefined : this.#inbox.take(this.#loop.time(), undefined);
    this.#inbox.clear();
    try {
      receiver.onClose(error, unread);
    } catch (thrown) {
      logSafely(this.#loop.logger, "error", { err: thrown }, "Uncaught exception in onClose");
    }
  }
}

const NOWHERE: TransportInfo = {
  engine: "memory",
  remoteAddress: "",
  remotePort: 0,
  localAddress: "",
  localPort: 0,
  encrypted: false,
};

function connectionReset(syscall: string): Error {
  return Object.assign(new Error(`${syscall} ECONNRESET`), { code: "ECONNRESET", syscall });
}
