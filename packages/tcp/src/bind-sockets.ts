// Making listening sockets (Tornado's netutil): of host and port, of a path, of a descriptor that somebody gave us.

import { IOLoop, LoopClosedError } from "@tw/ioloop";
import { checkEngine } from "@tw/iostream/transports";
import { checkInteger, checkLoop, checkOptions, quote } from "@tw/util";
import { checkBacklog, checkFamily, checkHost, checkPort, checkUnixPath } from "./addresses.js";
import { codeOf, NoAddressError } from "./errors.js";
import { type ListeningSocket, openListeningSocket } from "./listening-socket.js";
import { type EngineChoice, networkOf, type ResolvedAddress } from "./network.js";

/** Options of every way to make a listening socket. */
export interface SocketOptions {
  /** The loop that will accept. @default IOLoop.current() */
  readonly loop?: IOLoop;
  /** Which engine carries the bytes. @default `TW_ENGINE`, else native where the poller loads, else node */
  readonly engine?: EngineChoice;
  /**
   * Connections that the kernel keeps waiting; when it overflows clients wait one second and more. The kernel has a
   * limit of its own (`net.core.somaxconn`). @default 4096
   */
  readonly backlog?: number;
}

/** Options of {@link bindSockets}. */
export interface BindOptions extends SocketOptions {
  /** Only addresses of this family; 0 is either. @default 0 */
  readonly family?: 0 | 4 | 6;
  /**
   * Lets other processes that say so too listen on the same port; the kernel spreads connections over them. On the
   * node engine from Node 22.12 and 23.1 on. @default false
   */
  readonly reusePort?: boolean;
  /**
   * In a worker of `node:cluster`, on the node engine: whether to listen on the socket that all workers share, which their parent
   * holds. Ignored anywhere else. @default true, but in the children of `forkProcesses`, which have `taskSockets` on both engines
   */
  readonly shared?: boolean;
}

/** Options of {@link bindUnixSocket}. */
export interface BindUnixOptions extends SocketOptions {
  /** Permission bits of the file: who may write to it may connect. @default 0o600 */
  readonly mode?: number;
}

/** Options of {@link adoptSocket}. */
export interface AdoptOptions extends SocketOptions {
  /**
   * Whether nobody else will accept on the descriptor when we close it: a server that drains then serves who waits in
   * its queue. A service manager keeps it, and its queue, for whoever comes next. @default false
   */
  readonly soleOwner?: boolean;
}

/** The default of {@link SocketOptions.backlog}. */
const DEFAULT_BACKLOG = 4096;

/** Only who we are may connect. */
const DEFAULT_MODE = 0o600;

/** Ports that are tried for 0, until one is free for every address. */
const PORT_ATTEMPTS = 8;

/**
 * Listens on `port` of each address of a host, without accepting yet: one socket per address (Tornado's
 * `bind_sockets`). `""` is every address of the machine, IPv4 and IPv6. Port 0 is any free one, the same for all.
 *
 * @throws TypeError, RangeError for what is no port, address or option, TwError `ERR_TW_ENGINE`, at once
 * @throws SystemError `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, `ENOTFOUND`, LoopClosedError `ERR_TW_LOOP_CLOSED`, by
 *   rejecting; nothing is bound then
 * @example
 * server.addSockets(await bindSockets(8888, "localhost"));
 */
export function bindSockets(
  port: number,
  address = "",
  options: BindOptions = {},
): Promise<ListeningSocket[]> {
  checkBinding(port, address, options);
  return bindEach(port, address, options, socketOptions(options));
}

/**
 * Throws what {@link bindSockets} would throw at once: for whoever binds later.
 *
 * @throws TypeError, RangeError for what is no port, address or option; TwError `ERR_TW_ENGINE`
 */
export function checkBinding(port: number, address = "", options: BindOptions = {}): void {
  checkSocketOptions(options);
  const { family = 0, reusePort, shared } = options;
  checkPort("port", port, 0);
  if (address !== "") checkHost("address", address);
  checkFamily(family);
  checkBoolean("reusePort", reusePort);
  checkBoolean("shared", shared);
}

function checkBoolean(name: string, value: unknown): void {
  if (value === undefined || typeof value === "boolean") return;
  throw new TypeError(`${name} must be true or false, got ${quote(value)}`);
}

/**
 * Listens on a Unix socket, without accepting yet (Tornado's `bind_unix_socket`). A socket that a dead server left
 * there is replaced, a live one is refused (to find out, we connect to it once); anything else stays untouched. The
 * file goes when the socket is closed. A leading NUL makes an abstract name (Linux), which has no file.
 *
 * @throws TypeError, RangeError for what cannot be a path, a mode or an option, at once
 * @throws ListenError `ERR_TW_NOT_A_SOCKET` when something else than a socket is there
 * @throws SystemError `EADDRINUSE` when somebody listens there, `ENOENT`, `EACCES`; LoopClosedError `ERR_TW_LOOP_CLOSED`
 */
export function bindUnixSocket(path: string, options: BindUnixOptions = {}): Promise<ListeningSocket> {
  checkSocketOptions(options);
  const { mode = DEFAULT_MODE } = options;
  checkUnixPath(path);
  checkInteger("mode", mode, 0, 0o777);
  const { loop, ...shared } = socketOptions(options);
  if (loop.closed) return Promise.reject(new LoopClosedError("bindUnixSocket"));
  return openListeningSocket(networkOf(loop), { ...shared, address: path, port: 0, family: "unix", mode });
}

/**
 * Takes over a listening descriptor that a parent process or a service manager handed us; it is the socket's from then
 * on. Its backlog becomes ours. It must not be one that anything else in this process uses.
 *
 * @throws TypeError, RangeError for what is no descriptor, at once
 * @throws ListenError `ERR_TW_NOT_LISTENING` for what is no listening stream socket
 * @throws LoopClosedError `ERR_TW_LOOP_CLOSED`; the descriptor stays the caller's then
 */
export function adoptSocket(fd: number, options: AdoptOptions = {}): Promise<ListeningSocket> {
  checkSocketOptions(options);
  checkInteger("fd", fd, 0, 0x7fff_ffff);
  const { loop, ...shared } = socketOptions(options);
  const { soleOwner = false } = options;
  if (loop.closed) return Promise.reject(new LoopClosedError("adoptSocket"));
  return openListeningSocket(networkOf(loop), { ...shared, address: "", port: 0, family: 4, fd }, !soleOwner);
}

/** @throws TypeError, RangeError; TwError `ERR_TW_ENGINE` */
function checkSocketOptions(options: SocketOptions): void {
  checkOptions("options", options, { IOLoop: "loop" });
  const { loop, engine, backlog } = options;
  checkLoop(loop);
  checkEngine(engine);
  if (backlog !== undefined) checkBacklog(backlog);
}

/** The options that all have. */
function socketOptions(
  options: SocketOptions,
): Required<Omit<SocketOptions, "engine">> & { engine: EngineChoice } {
  const { loop = IOLoop.current(), engine, backlog = DEFAULT_BACKLOG } = options;
  return { loop, engine, backlog };
}

async function bindEach(
  port: number,
  host: string,
  { family = 0, reusePort = false, shared: ofCluster }: BindOptions,
  { loop, ...shared }: ReturnType<typeof socketOptions>,
): Promise<ListeningSocket[]> {
  if (loop.closed) throw new LoopClosedError("bindSockets");
  const network = networkOf(loop);
  const addresses = await network.resolve(host, family);
  if (addresses.length === 0) throw new NoAddressError(host, family);
  const bindOne = (one: ResolvedAddress, onPort: number) =>
    openListeningSocket(network, {
      ...shared,
      ...one,
      port: onPort,
      reusePort,
      ...(ofCluster !== undefined && { shared: ofCluster }),
    });
  for (let attempt = 1; ; attempt++) {
    const sockets: ListeningSocket[] = [];
    try {
      await bindAll(sockets, addresses, port, bindOne);
      return sockets;
    } catch (error) {
      for (const socket of sockets) await socket.close();
      // The port that was free for the first address is taken on the second: another one then.
      const again = port === 0 && sockets.length > 0 && codeOf(error) === "EADDRINUSE";
      if (!again || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

/** Adds a socket per address to `sockets`. A machine without IPv6 has `::1` in its hosts file all the same. */
async function bindAll(
  sockets: ListeningSocket[],
  addresses: readonly ResolvedAddress[],
  port: number,
  bindOne: (address: ResolvedAddress, port: number) => Promise<ListeningSocket>,
): Promise<void> {
  let missing: unknown;
  for (const address of addresses) {
    try {
      sockets.push(await bindOne(address, sockets[0]?.port ?? port));
    } catch (error) {
      const code = codeOf(error);
      if (address.family !== 6 || (code !== "EAFNOSUPPORT" && code !== "EADDRNOTAVAIL")) throw error;
      missing = error;
    }
  }
  if (sockets.length === 0) throw missing;
}
