// A listening descriptor on the poller: level-triggered, a bounded number of accepts a turn, and no spinning when
// descriptors run out.
//
//   watched ──pause()──► paused           nothing is accepted: connections wait in the kernel
//      │    ◄─resume()──
//      └──EMFILE──► exhausted ──100 ms, or a descriptor was closed (resume)──► watched

import { AsyncResource } from "node:async_hooks";
import type { Stats } from "node:fs";
import { constants } from "node:os";
import type { Timeout } from "@tw/ioloop";
import {
  type DescriptorKind,
  type NativeEngine,
  NativeTransport,
  systemError,
} from "@tw/iostream/transports";
import { type Host, type PollHandle, type PollSink, READ } from "@tw/poller";
import { deliver } from "../deliver.js";
import type { Listener, ListenOptions } from "../network.js";
import { report } from "../report.js";
import { fileAt, removeOwnSocket } from "../unix-path.js";
import { bindDescriptor } from "./bind.js";

/** Accepts per turn: enough for a burst of thousands, few enough that neighbours have their turn. */
const ACCEPTS_PER_TURN = 64;

/** How long accepting pauses when the process or the machine ran out of descriptors or memory. */
const EXHAUSTED_PAUSE_MS = 100;

/** Turns in which a listener that is about to close accepts who waits. */
const LAST_TURNS = 1024;

const EXHAUSTED = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);

/** What is done with an accepted connection. */
export type OnConnection = (transport: NativeTransport) => void;

/** Binds and listens on one address, or on the descriptor that `options` bring. */
export function nativeListen(
  engine: NativeEngine,
  options: ListenOptions,
  onConnection: OnConnection,
): NativeListener {
  if (options.fd !== undefined) return new NativeListener(engine, options.fd, onConnection);
  const fd = bindDescriptor(engine, options);
  const file = options.family === "unix" && !options.address.startsWith("\0") ? options.address : undefined;
  return new NativeListener(engine, fd, onConnection, file);
}

/** One listening descriptor, closed with its listener. Accepted connections run in the context of whoever listened. */
export class NativeListener extends AsyncResource implements PollSink, Listener {
  readonly address: string;
  readonly port: number;
  readonly fd: number;
  readonly #engine: NativeEngine;
  readonly #kind: DescriptorKind;
  readonly #handle: PollHandle;
  readonly #onConnection: OnConnection;
  readonly #file: { readonly path: string; readonly stats: Stats | undefined } | undefined;
  #retry: Timeout | undefined;
  #warned = false;
  #lastHost: Host = "";
  #state: "watched" | "paused" | "exhausted" | "closed" = "watched";

  constructor(engine: NativeEngine, fd: number, onConnection: OnConnection, file?: string) {
    super("TWListener", { requireManualDestroy: true });
    const { poller } = engine;
    this.#engine = engine;
    this.fd = fd;
    this.#onConnection = onConnection;
    const bound = poller.getsockname(fd);
    const name = typeof bound === "number" ? { address: "", port: 0, family: 4 } : bound;
    this.address = name.address;
    this.port = name.port;
    this.#kind = name.family === 0 ? "unix" : "tcp";
    this.#file = file === undefined ? undefined : { path: file, stats: fileAt(file) };
    this.#handle = poller.watch(fd, READ, this);
    if (this.#handle >= 0) return;
    poller.closeFd(fd);
    throw systemError(poller, this.#handle, "watch");
  }

  onEvents(): void {
    this.runInAsyncScope(this.#acceptSome, this);
  }

  async acceptWaiting(): Promise<void> {
    const { loop } = this.#engine;
    for (let turn = 0; turn < LAST_TURNS && this.#state === "watched" && !loop.closed; turn++) {
      if (!this.runInAsyncScope(this.#acceptSome, this)) return;
      await new Promise<void>((resolve) => loop.addCallback(resolve));
    }
  }

  /** False when nobody waits any more, or nobody can be accepted. */
  #acceptSome(): boolean {
    const { poller, loop } = this.#engine;
    for (let i = 0; i < ACCEPTS_PER_TURN && this.#state === "watched"; i++) {
      const accepted = poller.accept(this.fd);
      if (typeof accepted !== "number") {
        const { fd, host, port } = accepted;
        // Behind a proxy all connections come from few addresses: a text is kept once, not once per connection.
        if (host !== this.#lastHost) this.#lastHost = host;
        const transport = new NativeTransport(this.#engine, fd, this.#kind, this.#lastHost, port);
        deliver(loop, transport, this.#onConnection);
        continue;
      }
      if (accepted === -constants.errno.EAGAIN) {
        this.#warned = false;
        return false;
      }
      const name = poller.errnoName(-accepted);
      if (EXHAUSTED.has(name)) {
        this.#exhausted(name);
        return false;
      }
      // ECONNABORTED, EPROTO, EINTR and network errors concern one connection that is gone: go on with the next.
    }
    return this.#state === "watched";
  }

  pause(): void {
    if (this.#state === "closed" || this.#state === "paused") return;
    this.#forgetRetry();
    this.#state = "paused";
    this.#engine.poller.modify(this.#handle, 0);
  }

  resume(): void {
    if (this.#state === "closed" || this.#state === "watched") return;
    this.#forgetRetry();
    this.#state = "watched";
    this.#engine.poller.modify(this.#handle, READ);
  }

  /** Level-triggered interest would spin while no descriptor can be had. Said once, until the queue was empty again. */
  #exhausted(name: string): void {
    const { poller, loop } = this.#engine;
    this.#state = "exhausted";
    poller.modify(this.#handle, 0);
    this.#retry = loop.callLater(EXHAUSTED_PAUSE_MS, () => this.resume());
    if (this.#warned) return;
    this.#warned = true;
    report(
      loop,
      "warn",
      `accept: ${name}; pausing for ${EXHAUSTED_PAUSE_MS} ms or until a connection closes`,
    );
  }

  #forgetRetry(): void {
    if (this.#retry !== undefined) this.#engine.loop.removeTimeout(this.#retry);
    this.#retry = undefined;
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#forgetRetry();
    // First the name, then the descriptor: nobody finds a socket there that refuses.
    if (this.#file !== undefined) removeOwnSocket(this.#file.path, this.#file.stats);
    this.#engine.poller.close(this.#handle);
  }
}
