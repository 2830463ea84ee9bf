// The client's side of one HTTP/1.1 connection: one exchange after the other on the client role of the same machine.

import { HTTP1Machine, type ResolvedHTTP1Options } from "@tw/http1";
import type { HTTPMessageDelegate, MaybePromise } from "@tw/httputil";
import type { IOStream, StreamReceiver } from "@tw/iostream";
import { Deferred, isPromiseLike, logSafely, TwError } from "@tw/util";
import { ClientExchange } from "./client-exchange.js";
import { PeerContext } from "./peer-context.js";

/** Sends requests over one stream. One at a time: this stack does not pipeline requests of its own. */
export class HTTP1ClientConnection extends PeerContext implements StreamReceiver {
  readonly #machine: HTTP1Machine;
  #exchange: ClientExchange | undefined;
  #drained: Deferred | undefined;
  #usable = true;

  /** `limits` comes from `resolveHTTP1Options` and may be shared by any number of connections. */
  constructor(stream: IOStream, limits: ResolvedHTTP1Options) {
    super(stream);
    this.#machine = new HTTP1Machine("client", limits);
    stream.attach(this);
  }

  /** Whether another request may be sent now. */
  get available(): boolean {
    return this.#usable && this.#exchange === undefined && !this.stream.closed;
  }

  /**
   * Begins an exchange; its request is written to what is returned, and `message` is fed with the response.
   *
   * @throws TwError `ERR_TW_CONNECTION_BUSY` while another exchange is going on or after the connection closed
   */
  exchange(message: HTTPMessageDelegate): ClientExchange {
    if (!this.available) {
      throw new TwError("ERR_TW_CONNECTION_BUSY", "This connection is closed or has a request under way");
    }
    this.#exchange = new ClientExchange(this, this.#machine, message);
    return this.#exchange;
  }

  onBytes(view: Uint8Array): MaybePromise {
    if (this.#exchange === undefined) return this.stream.abort(); // nobody asked: RFC 9112 §9.2 (2)
    this.#machine.receive(view);
    return this.#pump();
  }

  onEnd(): void {
    this.#usable = false;
    this.#machine.receiveEnd();
    if (this.#exchange === undefined) return void this.stream.close();
    const waiting = this.#pump();
    if (!isPromiseLike(waiting)) this.stream.close();
    else
      waiting.then(
        () => this.stream.close(),
        (error) => this.stream.abort(error),
      );
  }

  onDrain(): void {
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.resolve();
  }

  onClose(error?: unknown): void {
    this.#usable = false;
    this.onDrain();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.peerGone(error);
  }

  /** Resolves when the peer has taken what was sent. */
  drained(): Promise<void> {
    this.#drained ??= new Deferred();
    return this.#drained.promise;
  }

  /** Feeds the exchange until it needs more bytes or its delegate makes us wait. */
  #pump(): MaybePromise {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    try {
      const waiting = exchange.feed();
      if (isPromiseLike(waiting)) return Promise.resolve(waiting).then(() => this.#pump());
    } catch (error) {
      this.#exchange = undefined;
      this.#usable = false;
      exchange.peerGone(error);
      // RFC 9112 §6.3 (7): the connection ends with the response.
      return this.stream.abort(error);
    }
    if (this.#machine.buffered > 0) this.#machine.retain();
    if (exchange.switched) this.stream.pause(); // what follows is for the next owner
  }

  /** User code failed where nobody waits for it. */
  failed(error: unknown): void {
    const { logger } = this.stream.loop;
    logSafely(logger, "error", { err: error }, "Uncaught exception in an HTTP client's delegate");
    this.stream.abort(error);
  }

  /** Called by the exchange when request and response are complete. */
  completed(): void {
    this.#exchange = undefined;
    // RFC 9112 §9.6 (1), (6): no further request behind a close of either side.
    if (this.#usable && this.#machine.keepAlive) return this.#machine.startNextCycle();
    this.#usable = false;
    this.stream.close();
  }

  /** Gives the stream away after a 101: what came behind the response is read first by its next owner. */
  handOver(): IOStream {
    this.#exchange = undefined;
    this.#usable = false;
    this.stream.detach(this.#machine.takeRest());
    return this.stream;
  }
}
