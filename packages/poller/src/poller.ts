// The poller of one thread: the addon's functions, and the table that leads from a slot to its sink.

import { constants } from "node:os";
import { acceptOn } from "./accepted.js";
import { type Chunk, needsSplit, splitChunks } from "./chunks.js";
import { errnoName } from "./errno.js";
import type { Addon, NativePoller } from "./native.js";
import { optionNumber } from "./options.js";
import { AheadState, EVENT_BITS, EVENTS, NOT_READ, SLOTS } from "./read-ahead.js";
import type {
  Accepted,
  Poller,
  PollHandle,
  PollSink,
  ReadAhead,
  SocketAddress,
  SocketOption,
  WatchOptions,
  WritePage,
} from "./types.js";
import { PrivatePage } from "./write-page.js";

const { EBADF } = constants.errno;

/** Makes a poller. @throws Error when the operating system refuses one. */
export function createPoller(addon: Addon): Poller {
  return new AddonPoller(addon);
}

class AddonPoller implements Poller {
  // The hot calls are the addon's own functions, without a frame of ours in between.
  readonly modify: NativePoller["modify"];
  readonly setRef: NativePoller["setRef"];
  readonly wake: NativePoller["wake"];
  readonly read: NativePoller["read"];
  readonly writePage: NativePoller["writePage"];
  readonly sendfile: NativePoller["sendfile"];
  readonly cached: NativePoller["cached"];
  readonly socket: NativePoller["socket"];
  readonly bind: NativePoller["bind"];
  readonly listen: NativePoller["listen"];
  readonly connect: NativePoller["connect"];
  readonly socketError: NativePoller["socketError"];
  readonly shutdown: NativePoller["shutdown"];
  readonly closeFd: NativePoller["closeFd"];
  readonly getsockname: (fd: number) => SocketAddress | number;
  readonly getpeername: (fd: number) => SocketAddress | number;
  readonly adopt: NativePoller["adopt"];
  readonly pipe: NativePoller["pipe"];
  readonly socketpair: NativePoller["socketpair"];
  readonly page: WritePage;
  readonly #native: NativePoller;
  /** By slot. All that JavaScript knows of an idle descriptor is this one element. */
  readonly #sinks: (PollSink | undefined)[] = [];
  readonly #ahead: AheadState = new AheadState(this.#sinks);

  constructor(addon: Addon) {
    const sinks = this.#sinks;
    const ahead = this.#ahead;
    const native = addon.create((what) => {
      if (what < 0) ahead.deliver(-what);
      else sinks[what >> EVENT_BITS]?.onEvents(what & EVENTS, NOT_READ, 0);
    });
    this.#native = native;
    this.modify = native.modify;
    this.setRef = native.setRef;
    this.wake = native.wake;
    this.read = native.read;
    this.writePage = native.writePage;
    this.page = new PrivatePage(native);
    this.sendfile = native.sendfile;
    this.cached = native.cached;
    this.socket = native.socket;
    this.bind = native.bind;
    this.listen = native.listen;
    this.connect = native.connect;
    this.socketError = native.socketError;
    this.shutdown = native.shutdown;
    this.closeFd = native.closeFd;
    this.getsockname = native.getsockname;
    this.getpeername = native.getpeername;
    this.adopt = native.adopt;
    this.pipe = native.pipe;
    this.socketpair = native.socketpair;
  }

  get size(): number {
    return this.#native.size();
  }

  watch(fd: number, events: number, sink: PollSink, options?: WatchOptions): PollHandle {
    if (typeof sink?.onEvents !== "function") throw new TypeError("A sink must have an onEvents() method");
    const handle = this.#native.watch(fd, events, options?.edge ?? false);
    if (handle >= 0) this.#sinks[handle % SLOTS] = sink;
    return handle;
  }

  unwatch(handle: PollHandle): void {
    if (this.#native.unwatch(handle) === 0) this.#forget(handle);
  }

  close(handle: PollHandle): number {
    const result = this.#native.close(handle);
    if (result === undefined) return -EBADF;
    this.#forget(handle);
    return result;
  }

  #forget(handle: PollHandle): void {
    this.#ahead.forget(handle);
    this.#sinks[handle % SLOTS] = undefined;
  }

  readAhead(size: number): ReadAhead | undefined {
    return this.#ahead.take(this.#native, size) ? this.#ahead : undefined;
  }

  accept(fd: number): Accepted | number {
    return acceptOn(this.#native, fd);
  }

  writev(fd: number, chunks: readonly (Uint8Array | string)[], skip: number, more = false): number {
    if (!Array.isArray(chunks)) throw new TypeError("chunks must be an array");
    const native = this.#native;
    if (needsSplit(chunks, skip)) return native.writev(fd, 0, splitChunks(chunks, skip), more);
    if (more) return native.writev(fd, skip, chunks, more);
    // As arguments, because fetching an element of an array costs the addon more.
    if (chunks.length === 1) return native.write(fd, skip, chunks[0] as Chunk);
    if (chunks.length === 2) return native.write(fd, skip, chunks[0] as Chunk, chunks[1] as Chunk);
    if (chunks.length === 3) {
      return native.write(fd, skip, chunks[0] as Chunk, chunks[1] as Chunk, chunks[2] as Chunk);
    }
    return native.writev(fd, skip, chunks, false);
  }

  setsockopt(fd: number, option: SocketOption, value: number): number {
    return this.#native.setsockopt(fd, optionNumber(option), value);
  }

  errnoName(errno: number): string {
    return errnoName(errno);
  }
}
