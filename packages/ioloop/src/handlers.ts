// Handlers on file descriptors: level-triggered, over the poller of the host.

import { channel } from "node:diagnostics_channel";
import { ERROR, type Poller, type PollHandle, READ, WRITE } from "@tw/poller";
import { checkInteger } from "@tw/util";
import { captureLastingScope } from "./context/capture.js";
import type { DiagnosticsChannel, HandlerAddedMessage, HandlerRemovedMessage } from "./diagnostics.js";
import { HandlerError } from "./errors.js";
import { type Callback, Job, type JobOwner } from "./job.js";
import { HANDLER } from "./watchdog/memory.js";

/** A descriptor, or something that has one. The handler receives what was registered. */
export type Pollable = number | { fileno(): number };

/** Called with what was registered and the events that are ready: {@link READ}, {@link WRITE}, {@link ERROR}, added up. */
export type FdHandler<P extends Pollable = Pollable> = (fd: P, events: number) => unknown;

/** One registration. */
export interface HandlerHandle {
  /** Lets the handler keep the process alive (it does at first). */
  ref(): this;
  /** Lets the process end although the descriptor is watched. */
  unref(): this;
}

const MAX_FD = 2 ** 31 - 1;
const KNOWN = READ | WRITE | ERROR;

const addedChannel: DiagnosticsChannel<HandlerAddedMessage> = channel("tw:ioloop:handlerAdded");
const removedChannel: DiagnosticsChannel<HandlerRemovedMessage> = channel("tw:ioloop:handlerRemoved");

class Handler extends Job implements HandlerHandle {
  readonly #poller: Poller;
  readonly pollable: Pollable;
  handle: PollHandle = -1;

  constructor(poller: Poller, owner: JobOwner, pollable: Pollable, fn: Callback<never>) {
    super(owner, fn, [], captureLastingScope());
    this.#poller = poller;
    this.pollable = pollable;
  }

  override get kind(): number {
    return HANDLER;
  }

  onEvents(events: number): void {
    // HANGUP alone means that the peer has stopped writing while READ is not asked for (any more): it can still be
    // written to, so that this is no ERROR, and who asks for READ again is told. A real hang-up comes with ERROR.
    const known = events & KNOWN;
    if (known !== 0) this.runWith([this.pollable, known]);
  }

  ref(): this {
    if (this.handle >= 0) this.#poller.setRef(this.handle, true);
    return this;
  }

  unref(): this {
    if (this.handle >= 0) this.#poller.setRef(this.handle, false);
    return this;
  }
}

/** The handlers of one loop, one per descriptor. */
export class Handlers {
  readonly #owner: JobOwner;
  readonly #poller: () => Poller;
  readonly #byFd = new Map<number, Handler>();

  constructor(owner: JobOwner, poller: () => Poller) {
    this.#owner = owner;
    this.#poller = poller;
  }

  get size(): number {
    return this.#byFd.size;
  }

  add(pollable: Pollable, fn: Callback<never>, events: number): HandlerHandle {
    const fd = filenoOf(pollable);
    checkEvents(events);
    if (this.#byFd.has(fd)) {
      throw new HandlerError("ERR_TW_HANDLER_EXISTS", fd, `Descriptor ${fd} has a handler already`);
    }
    const poller = this.#poller();
    const handler = new Handler(poller, this.#owner, pollable, fn);
    const handle = poller.watch(fd, events & (READ | WRITE), handler);
    if (handle < 0) throw refused(poller, fd, handle);
    handler.handle = handle;
    this.#byFd.set(fd, handler);
    if (addedChannel.hasSubscribers) addedChannel.publish({ fd, events, handle: handler });
    return handler;
  }

  update(pollable: Pollable, events: number): void {
    const fd = filenoOf(pollable);
    checkEvents(events);
    const handler = this.#byFd.get(fd);
    if (handler === undefined) {
      throw new HandlerError("ERR_TW_HANDLER_UNKNOWN", fd, `Descriptor ${fd} has no handler to update`);
    }
    const poller = this.#poller();
    const result = poller.modify(handler.handle, events & (READ | WRITE));
    if (result < 0) throw refused(poller, fd, result);
  }

  remove(pollable: Pollable): void {
    // What is closed has -1; no descriptor has.
    const asked = filenoOf(pollable, -MAX_FD);
    const fd = this.#byFd.has(asked) ? asked : this.#fdOf(pollable);
    const handler = this.#byFd.get(fd);
    if (handler === undefined) return;
    this.#byFd.delete(fd);
    this.#poller().unwatch(handler.handle);
    handler.handle = -1;
    if (removedChannel.hasSubscribers) removedChannel.publish({ fd, handle: handler });
  }

  /** Under which number `pollable` itself was registered: an object that is closed knows it no more. */
  #fdOf(pollable: Pollable): number {
    if (typeof pollable === "object")
      for (const [fd, handler] of this.#byFd) if (handler.pollable === pollable) return fd;
    return -1;
  }

  /** Stops watching all of them, and returns each descriptor with what was registered. */
  removeAll(): [fd: number, pollable: Pollable][] {
    const watched = [...this.#byFd].map(([fd, { pollable }]): [number, Pollable] => [fd, pollable]);
    for (const [fd] of watched) this.remove(fd);
    return watched;
  }
}

function filenoOf(pollable: Pollable, min = 0): number {
  const fd = hasFileno(pollable) ? pollable.fileno() : pollable;
  checkInteger("A descriptor", fd, min, MAX_FD);
  return fd as number;
}

/** What has none is looked at as a number, so that it is what an error quotes. */
function hasFileno(pollable: Pollable): pollable is Exclude<Pollable, number> {
  return typeof (pollable as { fileno?: unknown } | null | undefined)?.fileno === "function";
}

function checkEvents(events: number): void {
  checkInteger("events", events, 0, KNOWN);
  if (events & ~KNOWN) throw new RangeError(`events must be made of READ, WRITE and ERROR, got ${events}`);
}

function refused(poller: Poller, fd: number, errno: number): HandlerError {
  const name = poller.errnoName(-errno);
  return new HandlerError("ERR_TW_HANDLER_REFUSED", fd, `Cannot watch descriptor ${fd}: ${name}`);
}
