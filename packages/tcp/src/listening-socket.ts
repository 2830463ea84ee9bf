// A socket that is bound and listens, but accepts only when somebody is there to serve: what bindSockets returns and
// TCPServer.addSockets takes. Until then connections wait in the kernel's queue.

import type { Transport } from "@tw/iostream";
import { checkFunction } from "@tw/util";
import { listening, stopped } from "./channels.js";
import { ListenError } from "./errors.js";
import type { Listener, ListenOptions, Network } from "./network.js";

/** Listens without accepting. @internal Use `bindSockets` and its like. */
export async function openListeningSocket(
  network: Network,
  options: ListenOptions,
  hasOtherOwners = false,
): Promise<ListeningSocket> {
  let socket: ListeningSocket | undefined;
  const listener = await network.listen(options, (transport) => {
    if (socket === undefined) transport.abort();
    else socket.deliver(transport);
  });
  listener.pause();
  socket = new ListeningSocket(listener, hasOtherOwners);
  if (listening.hasSubscribers) listening.publish({ socket });
  return socket;
}

/**
 * A listening socket. It belongs to whoever bound it, until a server takes it over; who closes it, does so for good.
 *
 * @example
 * const [socket] = await bindSockets(8888, "127.0.0.1");
 * server.addSocket(socket);
 */
export class ListeningSocket implements AsyncDisposable {
  readonly #listener: Listener;
  #onConnection: ((transport: Transport) => void) | undefined;
  #paused = false;
  #closed = false;
  readonly #hasOtherOwners: boolean;

  /** @internal Use `bindSockets`. */
  constructor(listener: Listener, hasOtherOwners: boolean) {
    this.#listener = listener;
    this.#hasOtherOwners = hasOtherOwners;
  }

  /** Numeric, or the path of a Unix socket; `""` for one that was adopted where there is no poller. */
  get address(): string {
    return this.#listener.address;
  }

  /** 0 for a Unix socket. */
  get port(): number {
    return this.#listener.port;
  }

  /** Its descriptor, to be passed to a child process; `undefined` on the node engine, which does not tell. */
  get fd(): number | undefined {
    return this.#listener.fd;
  }

  /**
   * Starts accepting: each connection is one call, in a context made from that of whoever bound the socket.
   *
   * @throws TypeError when `onConnection` is not a function
   * @throws ListenError `ERR_TW_SOCKET_TAKEN` when it accepts for somebody already, or was closed
   */
  accept(onConnection: (transport: Transport) => void): void {
    checkFunction("onConnection", onConnection);
    if (this.#closed || this.#onConnection !== undefined) {
      const why = this.#closed ? "it was closed" : "it has a server already";
      throw new ListenError("ERR_TW_SOCKET_TAKEN", `Cannot accept on ${this.address}:${this.port}: ${why}`);
    }
    this.#onConnection = onConnection;
    this.retry();
  }

  /** @internal A connection has come. */
  deliver(transport: Transport): void {
    if (this.#onConnection === undefined) transport.abort();
    else this.#onConnection(transport);
  }

  /**
   * Leaves connections in the kernel's queue until {@link resume}. Repeats do no harm. A server pauses and resumes its
   * sockets by itself where it reaches its limit.
   */
  pause(): void {
    this.#paused = true;
    this.#listener.pause();
  }

  /** Goes on accepting, if anybody does. */
  resume(): void {
    this.#paused = false;
    this.retry();
  }

  /** @internal Accepts again at once if it waits for descriptors: one may have come free. */
  retry(): void {
    if (!this.#paused && this.#onConnection !== undefined) this.#listener.resume();
  }

  /**
   * @internal Accepts who waits in the queue, where closing would reset them. Where others have the socket as well, the
   * queue outlives us, and is left to them.
   */
  async acceptWaiting(): Promise<void> {
    if (this.#hasOtherOwners || this.#paused || this.#onConnection === undefined) return;
    await this.#listener.acceptWaiting?.();
  }

  /** Stops listening; connections that wait in the queue are reset, those delivered live on. Idempotent. */
  async close(): Promise<void> {
    if (!this.#closed && stopped.hasSubscribers) stopped.publish({ socket: this });
    this.#closed = true;
    await this.#listener.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
