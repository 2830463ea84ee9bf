// A TCP client (Tornado's tcpclient): resolves a name and connects to the first address that answers.

import { IOLoop } from "@tw/ioloop";
import { IOStream, type StreamOptions } from "@tw/iostream";
import { TwError } from "@tw/util";
import { type EngineChoice, networkOf } from "./network.js";

/** Options of a {@link TCPClient}. */
export interface TCPClientOptions extends StreamOptions {
  /** The loop to connect on. @default IOLoop.current() */
  readonly loop?: IOLoop;
  /** Which engine carries the bytes. @default `TW_ENGINE`, else native where the poller loads, else node */
  readonly engine?: EngineChoice;
}

/** Options of one {@link TCPClient.connect}. */
export interface TCPConnectOptions {
  /** Only addresses of this family; 0 is either. @default 0 */
  readonly family?: 0 | 4 | 6;
  /** Gives up after so many milliseconds, name resolution included; 0 is no limit. @default 20 000 */
  readonly timeoutMs?: number;
  /** Gives up when aborted and rejects with its reason; nothing is left open. */
  readonly signal?: AbortSignal;
}

const DEFAULT_TIMEOUT_MS = 20_000;

/**
 * Opens connections.
 *
 * @example
 * const stream = await new TCPClient().connect("localhost", 8888);
 * await stream.write("ping\n");
 * const line = await stream.readUntil("\n", { maxBytes: 1024 });
 */
export class TCPClient {
  readonly loop: IOLoop;
  readonly #options: TCPClientOptions;

  constructor(options: TCPClientOptions = {}) {
    this.loop = options.loop ?? IOLoop.current();
    this.#options = options;
  }

  /**
   * Connects to `host`, trying its addresses one after the other.
   *
   * @throws RangeError for a port outside 1–65535
   * @throws TwError `ERR_TW_CONNECT_TIMEOUT`
   * @throws SystemError of the last address tried, such as `ECONNREFUSED`, or of the resolver, such as `ENOTFOUND`
   */
  async connect(host: string, port: number, options: TCPConnectOptions = {}): Promise<IOStream> {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError(`Not a port: ${port}`);
    const { family = 0, timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    const cancel = new AbortController();
    const expire = () =>
      cancel.abort(
        new TwError("ERR_TW_CONNECT_TIMEOUT", `Timeout while connecting to ${host}:${port}: ${timeoutMs} ms`),
      );
    const onAbort = () => cancel.abort(signal?.reason);
    signal?.throwIfAborted();
    signal?.addEventListener("abort", onAbort, { once: true });
    const timer = timeoutMs === 0 ? undefined : this.loop.callLater(timeoutMs, expire);
    try {
      return await this.#tryAddresses(host, port, family, cancel.signal);
    } finally {
      if (timer !== undefined) this.loop.removeTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async #tryAddresses(host: string, port: number, family: 0 | 4 | 6, signal: AbortSignal): Promise<IOStream> {
    const network = networkOf(this.loop);
    const addresses = await abortable(network.resolve(host, family), signal);
    let failure: unknown = new TwError("ERR_TW_NO_ADDRESS", `No address found for ${host}`);
    for (const { address, family } of addresses) {
      try {
        const { engine } = this.#options;
        return new IOStream(await network.connect({ address, port, family, engine, signal }), this.#options);
      } catch (error) {
        signal.throwIfAborted();
        failure = error;
      }
    }
    throw failure;
  }
}

/** The system's resolver cannot be cancelled: its answer is then ignored. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
