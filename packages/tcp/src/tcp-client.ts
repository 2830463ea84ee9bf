// A TCP client (Tornado's tcpclient): resolves a name and connects to the first address that answers.

import { IOLoop, LoopClosedError } from "@tw/ioloop";
import {
  IOStream,
  type SSLIOStream,
  type StreamOptions,
  type TLSOptions,
  type Transport,
} from "@tw/iostream";
import { checkEngine, checkStreamOptions } from "@tw/iostream/transports";
import { checkDurationMs, checkLoop, checkOptions, checkSignal } from "@tw/util";
import { checkFamily, checkHost, checkPort, checkUnixPath, literal, place } from "./addresses.js";
import { connected } from "./channels.js";
import { connectAny } from "./connector.js";
import { withDeadline } from "./deadline.js";
import { ConnectTimeoutError, NoAddressError } from "./errors.js";
import { type EngineChoice, networkOf } from "./network.js";
import { checkResolver, DefaultResolver, type Endpoint, type Resolver, usable } from "./resolver.js";
import { clientTls, type TLSClientOptions } from "./tls/client-tls.js";

/** With these the stream is an `SSLIOStream`. */
interface Secure {
  readonly tls: true | TLSClientOptions;
}

/** Options of a {@link TCPClient}. */
export interface TCPClientOptions extends StreamOptions {
  /** The loop to connect on. @default IOLoop.current() */
  readonly loop?: IOLoop;
  /** Which engine carries the bytes. @default `TW_ENGINE`, else native where the poller loads, else node */
  readonly engine?: EngineChoice;
  /** Finds the addresses of a host. @default the system's resolver */
  readonly resolver?: Resolver;
}

/** Options of every way to connect. */
export interface ConnectionOptions extends StreamOptions {
  /** Gives up after so many milliseconds, name resolution and TLS handshake included; 0 is no limit. @default 20 000 */
  readonly timeoutMs?: number;
  /** Gives up when aborted and rejects with its reason; nothing is left open. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Speaks TLS: with `true` to whoever has a certificate for the host from an authority that Node knows. Other
   * authorities (`ca`), another name (`servername`), our own certificate, protocols: in an object.
   * @default false
   */
  readonly tls?: boolean | TLSClientOptions;
}

/** Options of one {@link TCPClient.connect}. */
export interface TCPConnectOptions extends ConnectionOptions {
  /** Only addresses of this family; 0 is either. @default 0 */
  readonly family?: 0 | 4 | 6;
  /** Our own numeric address; only addresses of its family are tried. @default the system's choice */
  readonly sourceIp?: string;
  /** Our own port. Without `sourceIp` it is one of the loopback address, as in Tornado. @default any */
  readonly sourcePort?: number;
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
  readonly #resolver: Resolver;

  /**
   * @throws TypeError, RangeError for what is no loop or size, or a resolver without `resolve`
   * @throws TwError `ERR_TW_ENGINE` for an engine that there is not
   */
  constructor(options: TCPClientOptions = {}) {
    checkOptions("options", options, { IOLoop: "loop" });
    checkLoop(options.loop);
    checkEngine(options.engine);
    checkStreamOptions(options);
    this.loop = options.loop ?? IOLoop.current();
    this.#options = options;
    this.#resolver = options.resolver ?? new DefaultResolver(this.loop);
    checkResolver(this.#resolver);
  }

  /**
   * Connects to `host`: to the first of its addresses that answers. The addresses are those of two families, of which
   * the second is tried beside the first after 300 ms, or when the first attempt failed (Happy Eyeballs).
   *
   * @throws TypeError, RangeError for what is no host, port or option, at once
   * @throws ConnectTimeoutError `ERR_TW_CONNECT_TIMEOUT`; NoAddressError `ERR_TW_NO_ADDRESS`
   * @throws TypeError, RangeError when the resolver answers with anything but endpoints, by rejecting
   * @throws LoopClosedError `ERR_TW_LOOP_CLOSED` where the loop is closed; one that is closed meanwhile leaves it pending
   * @throws SystemError of the attempt that failed last, such as `ECONNREFUSED`, or of the resolver (`ENOTFOUND`)
   * @throws TLSHandshakeError `ERR_TW_TLS_HANDSHAKE`, whose `reason` says what is wrong with the certificate
   */
  connect(host: string, port: number, options: TCPConnectOptions & Secure): Promise<SSLIOStream>;
  connect(host: string, port: number, options?: TCPConnectOptions): Promise<IOStream>;
  connect(host: string, port: number, options: TCPConnectOptions = {}): Promise<IOStream> {
    checkHost("host", host);
    checkPort("port", port, 1);
    const local = localEnd(options);
    const tls = checkConnection(options, host);
    const where = place(host, port, literal(host)?.family ?? 4);
    return this.#within({ host, port, where }, options, tls, async (signal) => {
      const endpoints = await abortable(this.#resolver.resolve(host, port, local.family), signal);
      return await this.#connectAny(host, endpoints, local, signal);
    });
  }

  /**
   * Connects to the Unix socket at `path`; a leading NUL makes an abstract name (Linux).
   *
   * @throws TypeError, RangeError for what cannot be a path or an option, at once
   * @throws SystemError `ENOENT`, `ECONNREFUSED`, `EACCES`; ConnectTimeoutError `ERR_TW_CONNECT_TIMEOUT`
   * @throws LoopClosedError `ERR_TW_LOOP_CLOSED`
   */
  connectUnix(path: string, options: ConnectionOptions & Secure): Promise<SSLIOStream>;
  connectUnix(path: string, options?: ConnectionOptions): Promise<IOStream>;
  connectUnix(path: string, options: ConnectionOptions = {}): Promise<IOStream> {
    checkUnixPath(path);
    const tls = checkConnection(options, undefined);
    const endpoint: Endpoint = { address: path, port: 0, family: "unix" };
    const where = place(path, 0, "unix");
    return this.#within({ host: path, port: 0, where }, options, tls, (signal) => {
      return this.#connectAny(path, [endpoint], { family: 0 }, signal);
    });
  }

  #connectAny(
    host: string,
    endpoints: readonly Endpoint[],
    local: LocalEnd,
    signal: AbortSignal,
  ): Promise<Transport> {
    const [first, ...rest] = usable(host, endpoints, local.family);
    if (first === undefined) throw new NoAddressError(host, local.family);
    const { engine } = this.#options;
    const network = networkOf(this.loop);
    const connectOne = async (endpoint: Endpoint, signal: AbortSignal) =>
      await network.connect({ ...endpoint, ...localOf(local, endpoint), engine, signal });
    return connectAny(this.loop, [first, ...rest], connectOne, signal);
  }

  #stream(transport: Transport, options: ConnectionOptions, signal: AbortSignal): IOStream {
    try {
      signal.throwIfAborted(); // while the connection was on its way to us
      return new IOStream(transport, { ...this.#options, ...options, loop: this.loop });
    } catch (error) {
      transport.abort(error);
      throw error;
    }
  }

  /** Runs all phases of one connection under one deadline and one signal. */
  async #within(
    { host, port, where }: Target,
    options: ConnectionOptions,
    tls: TLSOptions | undefined,
    open: (signal: AbortSignal) => Promise<Transport>,
  ): Promise<IOStream> {
    if (this.loop.closed) throw new LoopClosedError("connect");
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    const expired = () => new ConnectTimeoutError(where, timeoutMs);
    return await withDeadline(this.loop, { timeoutMs, expired, signal }, async ({ signal }) => {
      const stream = this.#stream(await open(signal), options, signal);
      if (connected.hasSubscribers) connected.publish({ host, port, stream });
      return tls === undefined ? stream : await secured(stream, { ...tls, signal });
    });
  }
}

/** `startTls` leaves a stream open where it never began; nobody else has this one. */
async function secured(stream: IOStream, tls: TLSOptions): Promise<IOStream> {
  try {
    return await stream.startTls(tls);
  } catch (error) {
    stream.abort(error);
    throw error;
  }
}

/** Who is connected to. */
interface Target {
  readonly host: string;
  readonly port: number;
  /** Both, for a message. */
  readonly where: string;
}

/** What is asked of our own end. */
interface LocalEnd {
  /** Addresses that can be reached from it. */
  readonly family: 0 | 4 | 6;
  readonly ip?: string;
  readonly port?: number;
}

function localEnd({ family = 0, sourceIp, sourcePort }: TCPConnectOptions): LocalEnd {
  checkFamily(family);
  if (sourcePort !== undefined) checkPort("sourcePort", sourcePort, 0);
  const port = sourcePort === undefined ? {} : { port: sourcePort };
  if (sourceIp === undefined) return { family, ...port };
  const own = typeof sourceIp === "string" ? literal(sourceIp) : undefined;
  if (own === undefined)
    throw new TypeError(`sourceIp must be a numeric address, got ${JSON.stringify(sourceIp)}`);
  if (family !== 0 && family !== own.family) {
    throw new RangeError(`sourceIp ${sourceIp} is of family ${own.family}, not ${family}`);
  }
  return { family: own.family as 4 | 6, ip: sourceIp, ...port };
}

function localOf(
  { ip, port }: LocalEnd,
  { family }: Endpoint,
): { localAddress?: string; localPort?: number } {
  if (family === "unix" || (ip === undefined && port === undefined)) return {};
  return { localAddress: ip ?? (family === 6 ? "::1" : "127.0.0.1"), localPort: port ?? 0 };
}

function checkConnection(options: ConnectionOptions, host: string | undefined): TLSOptions | undefined {
  const { timeoutMs, tls = false } = options;
  if (timeoutMs !== undefined) checkDurationMs("timeoutMs", timeoutMs);
  checkSignal(options.signal);
  checkStreamOptions(options);
  return tls === false ? undefined : clientTls(tls, host);
}

/** Resolvers cannot be cancelled: their answer is then ignored. */
function abortable<T>(answer: T | Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(signal.reason);
    signal.addEventListener("abort", aborted, { once: true });
    Promise.resolve(answer)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", aborted));
  });
}
