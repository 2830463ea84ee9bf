// What the native poller offers, in TypeScript. The C file implements exactly this and knows nothing above it.

/** The descriptor is readable, or its peer has closed: a read will not block. */
export const READ = 1;
/** The descriptor is writable: a write will not block. */
export const WRITE = 4;
/** An error is pending, or the peer hung up. Always reported, never asked for. */
export const ERROR = 0x18;
/** In {@link PollSink.onEvents} only: the peer shut down its writing side, hung up or sent urgent data. A short read then does not mean drained. */
export const HANGUP = 0x20;

/**
 * Names one registration: a slot and its generation in one number below 2^53. A handle of a closed descriptor never
 * names its successor, whatever number the kernel gives to it.
 */
export type PollHandle = number;

/** Receives the events of one registration. Each call is a Node callback of its own: ticks and microtasks run after it. */
export interface PollSink {
  onEvents(events: number): void;
}

/** How a registration is watched. */
export interface WatchOptions {
  /** Level-triggered unless true. */
  readonly edge?: boolean;
}

/** One way of accepting: the descriptor and where it comes from. */
export interface Accepted {
  readonly fd: number;
  /** Numeric address, or `""` for a Unix socket. */
  readonly address: string;
  readonly port: number;
}

export interface SocketAddress {
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6 | 0;
}

/**
 * A set of watched descriptors, per environment (main thread or worker).
 *
 * Calls on the kernel return a count, or `-errno`: they never throw for what the kernel says, only `TypeError` /
 * `RangeError` for wrong arguments.
 */
export interface Poller {
  /** Watches `fd`; throws `TypeError` on a bad fd or mask. Returns a handle, or `-errno` (`-EPERM`: a regular file). */
  watch(fd: number, events: number, sink: PollSink, options?: WatchOptions): PollHandle;
  /** Changes what is watched; 0 takes the descriptor out of the set. Returns 0 or `-errno` (`-EBADF`: stale handle). */
  modify(handle: PollHandle, events: number): number;
  /** Stops watching; the descriptor stays open. A stale handle is ignored. */
  unwatch(handle: PollHandle): void;
  /** Stops watching and closes the descriptor. Returns 0 or `-errno`; a stale handle is `-EBADF` and closes nothing. */
  close(handle: PollHandle): number;
  /** Whether this registration keeps the process alive (it does at first). */
  setRef(handle: PollHandle, ref: boolean): void;
  /** Calls `sink.onEvents(0)` at the next turn although the kernel reports nothing (for streams that used up their budget, or resumed). */
  wake(handle: PollHandle): void;
  /** Number of live registrations. */
  readonly size: number;

  /** Reads into `buffer[offset, offset + length)`. 0 is EOF. Works on sockets, pipes and ttys. */
  read(fd: number, buffer: Uint8Array, offset: number, length: number): number;
  /** Writes chunks in order, from byte `skip` of the first on; a string is latin1 bytes. Bytes taken, or `-errno`. Never raises SIGPIPE. */
  writev(fd: number, chunks: readonly (Uint8Array | string)[], skip: number): number;
  /** `sendfile(2)`: bytes sent, 0 at the end of the file, or `-errno`. */
  sendfile(fd: number, fileFd: number, offset: number, length: number): number;

  /** A non-blocking, close-on-exec stream socket. `family` is 4, 6 or 0 (Unix). Returns fd or `-errno`. */
  socket(family: 4 | 6 | 0): number;
  /** Binds to a numeric address and port, or to a path (Unix; leading NUL = abstract). 0 or `-errno`. */
  bind(fd: number, address: string, port: number): number;
  listen(fd: number, backlog: number): number;
  /** Accepts one connection, non-blocking and close-on-exec. `-EAGAIN` when none is waiting. */
  accept(fd: number): Accepted | number;
  /** Starts a connection: 0, or `-errno` (`-EINPROGRESS` is the usual answer). */
  connect(fd: number, address: string, port: number): number;
  /** The pending `SO_ERROR` of a socket as `errno` (0: none). */
  socketError(fd: number): number;
  /** Half-close: no more writes. */
  shutdown(fd: number): number;
  /** Closes a descriptor that is not watched. */
  closeFd(fd: number): number;
  getsockname(fd: number): SocketAddress | number;
  getpeername(fd: number): SocketAddress | number;
  setsockopt(fd: number, option: SocketOption, value: number): number;
  /** Makes a descriptor that somebody gave us non-blocking and close-on-exec. */
  adopt(fd: number): number;
  /** `pipe2(O_NONBLOCK | O_CLOEXEC)`: `[readFd, writeFd]` or `-errno`. For tests and examples. */
  pipe(): readonly [number, number] | number;
  /** A connected pair of Unix stream sockets, or `-errno`. For tests and examples. */
  socketpair(): readonly [number, number] | number;
  /** Message of an errno, e.g. `connection refused`, and its name, e.g. `ECONNREFUSED`. */
  errnoName(errno: number): string;
}

/** `linger0`: closing sends RST. `keepAlive`: seconds of idleness before the first probe, 0 = off. */
export type SocketOption =
  | "reuseAddr"
  | "reusePort"
  | "v6Only"
  | "noDelay"
  | "keepAlive"
  | "linger0"
  | "sendBuffer"
  | "receiveBuffer";
