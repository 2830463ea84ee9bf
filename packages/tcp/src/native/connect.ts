// A non-blocking connect on the poller.

import { constants } from "node:os";
import { type NativeEngine, NativeTransport, systemError } from "@tw/iostream/transports";
import { type PollHandle, WRITE } from "@tw/poller";
import type { ConnectOptions } from "../network.js";

/** A Unix socket whose queue is full says EAGAIN and never tells when there is room again: so long until the next try. */
const FULL_QUEUE_PAUSE_MS = 10;

/** Connects to one address. Aborting closes the descriptor and rejects with the signal's reason. */
export function nativeConnect(engine: NativeEngine, options: ConnectOptions): Promise<NativeTransport> {
  return new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    new Attempt(engine, options, openDescriptor(engine, options), resolve, reject).start();
  });
}

/** A socket, bound to our own address where we are to have one. */
function openDescriptor({ poller }: NativeEngine, options: ConnectOptions): number {
  const { family, localAddress, localPort = 0 } = options;
  const fd = poller.socket(family === "unix" ? 0 : family);
  if (fd < 0) throw systemError(poller, fd, "socket");
  if (family === "unix" || (localAddress === undefined && localPort === 0)) return fd;
  const address = localAddress ?? (family === 6 ? "::" : "0.0.0.0");
  poller.setsockopt(fd, "reuseAddr", 1); // or a port could be used again only when its last connection is forgotten
  const bound = poller.bind(fd, address, localPort);
  if (bound === 0) return fd;
  poller.closeFd(fd);
  throw systemError(poller, bound, "bind", { address, port: localPort });
}

/** One attempt, which owns its descriptor until it is connected. */
class Attempt {
  readonly #engine: NativeEngine;
  readonly #options: ConnectOptions;
  readonly #fd: number;
  readonly #resolve: (transport: NativeTransport) => void;
  readonly #reject: (error: unknown) => void;
  /** Takes back whatever we wait for. */
  #cancel: () => void = () => undefined;

  constructor(
    engine: NativeEngine,
    options: ConnectOptions,
    fd: number,
    resolve: (transport: NativeTransport) => void,
    reject: (error: unknown) => void,
  ) {
    this.#engine = engine;
    this.#options = options;
    this.#fd = fd;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(): void {
    this.#options.signal?.addEventListener("abort", this.#aborted, { once: true });
    this.#connect();
  }

  readonly #aborted = (): void => {
    this.#cancel();
    this.#engine.poller.closeFd(this.#fd);
    this.#reject(this.#options.signal?.reason);
  };

  #connect(): void {
    const { poller, loop } = this.#engine;
    const { address, port, family } = this.#options;
    const result = poller.connect(this.#fd, address, port);
    if (result === 0) return this.#connected();
    if (result === -constants.errno.EINPROGRESS) return this.#await();
    if (result !== -constants.errno.EAGAIN || family !== "unix") return this.#fail(result);
    const retry = loop.callLater(FULL_QUEUE_PAUSE_MS, () => this.#connect());
    this.#cancel = () => loop.removeTimeout(retry);
  }

  #await(): void {
    const { poller } = this.#engine;
    const handle: PollHandle = poller.watch(this.#fd, WRITE, {
      onEvents: () => {
        poller.unwatch(handle);
        const errno = poller.socketError(this.#fd);
        if (errno === 0) this.#connected();
        else this.#fail(-errno);
      },
    });
    if (handle < 0) return this.#fail(handle);
    this.#cancel = () => poller.unwatch(handle);
  }

  #connected(): void {
    const { port, family, signal } = this.#options;
    signal?.removeEventListener("abort", this.#aborted);
    if (family === "unix") return this.#resolve(new NativeTransport(this.#engine, this.#fd, "unix"));
    this.#engine.poller.setsockopt(this.#fd, "noDelay", 1);
    this.#resolve(new NativeTransport(this.#engine, this.#fd, "tcp", this.#peer(), port));
  }

  /** Who answered, as the kernel spells it: who asks for `0.0.0.0` reaches this machine, and IPv6 has many spellings. */
  #peer(): string {
    const { address, family } = this.#options;
    if (family === 4 && address !== "0.0.0.0") return address;
    const peer = this.#engine.poller.getpeername(this.#fd);
    return typeof peer === "number" ? address : peer.address;
  }

  #fail(result: number): void {
    const { address, port, signal } = this.#options;
    const { poller } = this.#engine;
    signal?.removeEventListener("abort", this.#aborted);
    poller.closeFd(this.#fd);
    this.#reject(systemError(poller, result, "connect", { address, port }));
  }
}
