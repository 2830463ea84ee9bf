// Keeps track of what the layers say they make and end, on `node:diagnostics_channel`. They say nothing while nobody
// listens.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { HandlerHandle, IOLoop, Timeout } from "@tw/ioloop";
import type { VirtualIdle } from "@tw/ioloop/testing";
import type { IOStream } from "@tw/iostream";
import type { ListeningSocket } from "@tw/tcp";
import { describeOrigin, type Origin, originHere } from "./origin.js";

/** What is kept track of. */
export type ResourceKind = "handler" | "timer" | "stream" | "listener";

/** Something that is still there. */
export interface Resource {
  readonly kind: ResourceKind;
  /** `timer that fires in 5000 ms`. */
  readonly what: string;
  /** Where it was made: `IOLoop.callLater() at test/x.test.ts:12:10`. */
  readonly made: string;
  /** The handle of the handler, the timer, the stream or the listening socket. */
  readonly object: HandlerHandle | Timeout | IOStream | ListeningSocket;
}

interface Entry {
  readonly kind: ResourceKind;
  readonly origin: Origin;
  readonly live: () => boolean;
  readonly what: () => string;
}

/** Dead timers are swept out when there are as many entries again as were live the last time. */
const SWEEP_FROM = 1024;

/** Hears of resources from {@link start} to {@link stop}; what was made before is unknown to it. */
export class Tracker {
  readonly #entries = new Map<Resource["object"], Entry>();
  #sweepAt = SWEEP_FROM;
  #running = false;

  start(): void {
    if (this.#running) return;
    this.#running = true;
    for (const [name, listener] of this.#listeners) subscribe(name, listener);
  }

  stop(): void {
    if (!this.#running) return;
    this.#running = false;
    for (const [name, listener] of this.#listeners) unsubscribe(name, listener);
  }

  /** What was made since the start and is still there, in the order in which it was made. */
  pending(): Resource[] {
    this.#sweep();
    return [...this.#entries].map(([object, { kind, what, origin }]) => ({
      kind,
      what: what(),
      made: describeOrigin(origin),
      object,
    }));
  }

  /** How much is still there; cheaper than {@link pending}. */
  count(): number {
    this.#sweep();
    return this.#entries.size;
  }

  #add(object: Resource["object"], entry: Omit<Entry, "origin">): void {
    if (this.#entries.size >= this.#sweepAt) {
      this.#sweep();
      this.#sweepAt = Math.max(SWEEP_FROM, this.#entries.size * 2);
    }
    this.#entries.set(object, { ...entry, origin: originHere() });
  }

  #sweep(): void {
    for (const [object, { live }] of this.#entries) if (!live()) this.#entries.delete(object);
  }

  readonly #listeners: readonly (readonly [string, (message: unknown) => void])[] = [
    [
      "tw:ioloop:handlerAdded",
      (message) => {
        const { handle, fd } = message as { handle: HandlerHandle; fd: number };
        this.#add(handle, { kind: "handler", live: () => true, what: () => `handler on descriptor ${fd}` });
      },
    ],
    [
      "tw:ioloop:handlerRemoved",
      (message) => {
        this.#entries.delete((message as { handle: HandlerHandle }).handle);
      },
    ],
    [
      "tw:ioloop:timerAdded",
      (message) => {
        const { loop, timer } = message as { loop: IOLoop; timer: Timeout };
        const what = () => `timer that fires in ${round(timer.when - loop.time())} ms`;
        this.#add(timer, { kind: "timer", live: () => timer.pending, what });
      },
    ],
    [
      "tw:iostream:opened",
      (message) => {
        const { stream } = message as { stream: IOStream };
        this.#add(stream, { kind: "stream", live: () => true, what: () => describeStream(stream) });
      },
    ],
    [
      "tw:iostream:closed",
      (message) => {
        this.#entries.delete((message as { stream: IOStream }).stream);
      },
    ],
    [
      "tw:tcp:listening",
      (message) => {
        const { socket } = message as { socket: ListeningSocket };
        const what = () => `socket that listens on ${placeOf(socket)}`;
        this.#add(socket, { kind: "listener", live: () => true, what });
      },
    ],
    [
      "tw:tcp:stopped",
      (message) => {
        this.#entries.delete((message as { socket: ListeningSocket }).socket);
      },
    ],
    [
      "tw:ioloop:virtualIdle",
      (message) => {
        const { pending } = message as VirtualIdle;
        for (const { what, made } of this.pending()) {
          const line = `a ${what}, made by ${made}`;
          if (!pending.includes(line)) pending.push(line);
        }
      },
    ],
  ];
}

function placeOf({ address, port }: ListeningSocket): string {
  if (port === 0) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function describeStream(stream: IOStream): string {
  const { engine, localAddress, localPort, remoteAddress, remotePort } = stream.info;
  const ends = remoteAddress === "" ? "" : `, ${localAddress}:${localPort} to ${remoteAddress}:${remotePort}`;
  return `stream (${engine}${ends}) that is ${doing(stream)}`;
}

function doing(stream: IOStream & { readonly reading?: boolean; readonly writing?: boolean }): string {
  if (stream.closed) return "closing";
  const calls = [stream.reading && "reading", stream.writing && "writing"].filter(Boolean);
  return calls.length === 0 ? "open" : calls.join(" and ");
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
