// Keeps track of what the layers say they make and end, on `node:diagnostics_channel`. They say nothing while nobody
// listens.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { HandlerHandle, IOLoop, PeriodicCallback, Timeout } from "@tw/ioloop";
import type { VirtualIdle } from "@tw/ioloop/testing";
import type { IOStream } from "@tw/iostream";
import type { AcceptedMessage, ConnectedMessage, ListeningSocket } from "@tw/tcp";
import { isHousekeeping } from "@tw/util";
import { describeOrigin, type Origin, originHere } from "./origin.js";
import { SweptMap } from "./swept-map.js";
import { Waiting } from "./waiting.js";

/** What is kept track of. */
export type ResourceKind = "handler" | "timer" | "stream" | "listener";

/** Something that is still there. */
export interface Resource {
  readonly kind: ResourceKind;
  /** `timer that fires in 5000 ms`. */
  readonly what: string;
  /** Where it was made: `IOLoop.callLater() at test/x.test.ts:12:10`; `at test/x.test.ts:12:10` where the call is unknown. */
  readonly made: string;
  /** The handle of the handler, the timer or the periodic callback, the stream or the listening socket. */
  readonly object: HandlerHandle | Timeout | PeriodicCallback | IOStream | ListeningSocket;
}

/** One line of a report: `a timer that fires in 5 ms, made by IOLoop.callLater() at test/x.test.ts:12:10`. */
export function lineOf({ what, made }: Resource): string {
  return `a ${what}, made ${made.startsWith("at ") ? made : `by ${made}`}`;
}

interface Entry {
  readonly kind: ResourceKind;
  readonly origin: Origin;
  /** What made it, where a message says so: behind an `await` a stack does not. */
  maker: string;
  readonly live: () => boolean;
  readonly what: () => string;
}

/** Hears of resources from {@link start} to {@link stop}; what was made before is unknown to it. */
export class Tracker {
  readonly #entries = new SweptMap<Resource["object"], Entry>((_object, { live }) => live());
  readonly #waiting = new Waiting();
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
    return [...this.#entries.live()].map(([object, { kind, what, origin, maker }]) => ({
      kind,
      what: what(),
      made: describeOrigin(origin, maker),
      object,
    }));
  }

  /** How much is still there; cheaper than {@link pending}. */
  count(): number {
    return this.#entries.live().size;
  }

  #madeBy(stream: IOStream, maker: string): void {
    const entry = this.#entries.get(stream);
    if (entry !== undefined) entry.maker = maker;
  }

  readonly #listeners: readonly (readonly [string, (message: unknown) => void])[] = [
    [
      "tw:ioloop:handlerAdded",
      (message) => {
        const { handle, fd } = message as { handle: HandlerHandle; fd: number };
        this.#entries.set(handle, {
          kind: "handler",
          live: () => true,
          what: () => `handler on descriptor ${fd}`,
          origin: originHere(),
          maker: "",
        });
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
        const { fn: callback } = timer as Timeout & { readonly fn?: unknown };
        // Of what it belongs to, a stream or a periodic callback, we hear as well.
        if (typeof callback === "function" && isHousekeeping(callback as () => void)) return;
        this.#entries.set(timer, {
          kind: "timer",
          live: () => timer.pending,
          what: () => `timer that fires in ${round(timer.when - loop.time())} ms`,
          origin: originHere(),
          maker: "",
        });
      },
    ],
    [
      "tw:ioloop:periodicStarted",
      (message) => {
        const { periodic } = message as { periodic: PeriodicCallback };
        this.#entries.set(periodic, {
          kind: "timer",
          live: () => periodic.isRunning,
          what: () => `periodic callback, every ${round(periodic.periodMs)} ms`,
          origin: originHere(),
          maker: "",
        });
      },
    ],
    [
      "tw:ioloop:periodicStopped",
      (message) => {
        this.#entries.delete((message as { periodic: PeriodicCallback }).periodic);
      },
    ],
    [
      "tw:iostream:opened",
      (message) => {
        const { stream } = message as { stream: IOStream };
        this.#entries.set(stream, {
          kind: "stream",
          live: () => true,
          what: () => describeStream(stream),
          origin: originHere(),
          maker: "",
        });
      },
    ],
    [
      "tw:iostream:closed",
      (message) => {
        this.#entries.delete((message as { stream: IOStream }).stream);
      },
    ],
    [
      "tw:tcp:accepted",
      (message) =>
        this.#madeBy((message as AcceptedMessage).stream, "TCPServer for a connection it accepted"),
    ],
    [
      "tw:tcp:connected",
      (message) => this.#madeBy((message as ConnectedMessage).stream, "TCPClient.connect()"),
    ],
    [
      "tw:tcp:listening",
      (message) => {
        const { socket } = message as { socket: ListeningSocket };
        const what = () => `socket that listens on ${placeOf(socket)}`;
        this.#entries.set(socket, {
          kind: "listener",
          live: () => true,
          what,
          origin: originHere(),
          maker: "",
        });
      },
    ],
    [
      "tw:tcp:stopped",
      (message) => {
        this.#entries.delete((message as { socket: ListeningSocket }).socket);
      },
    ],
    ["tw:gen:waiting", this.#waiting.add],
    [
      "tw:ioloop:virtualIdle",
      (message) => {
        const { pending } = message as VirtualIdle;
        for (const line of [...this.pending().map(lineOf), ...this.#waiting.lines()]) {
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
