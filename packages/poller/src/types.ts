// What the native poller offers, in TypeScript. The C file implements exactly this and knows nothing above it.

/** The descriptor is readable, or its peer has closed, or an error is pending: a read will not block. */
export const READ = 1;
/** The descriptor is writable, or an error is pending: a write will not block. */
export const WRITE = 4;
/** An error is pending, or the peer hung up. Always reported while the mask is not 0; asking for it changes nothing. */
export const ERROR = 0x18;
/** In {@link PollSink.onEvents} only: the peer shut down its writing side, hung up or sent urgent data. A short read then does not mean drained. */
export const HANGUP = 0x20;

/**
 * Names one registration: a slot and its generation in one number below 2^53. A handle of a closed descriptor never
 * names its successor, whatever number the kernel gives to it.
 */
export type PollHandle = number;

/** Receives the events of one registration. Each call is like a Node callback of its own: ticks and microtasks run after it. */
export interface PollSink {
  /**
   * @param received what a read ahead of this call returned ({@link ReadAhead}), as {@link Poller.read} returns it;
   *   {@link NOT_READ} where there was none
   * @param lane which of the {@link ReadAhead.lanes} it read into; nothing else was read into it, and nothing is before
   *   this returns
   */
  onEvents(events: number, received: number, lane: number): void;
}

/**
 * Reads that are done before sinks are called that would read first thing anyway: of a few sinks at a time, which are then
 * called one after the other. It saves a call for each read, and most entries into JavaScript. Order and bytes are the same.
 */
export interface ReadAhead {
  /** Hears of deliveries, if somebody wants to. */
  turns: DeliveryTurns | undefined;
  /** Each of the events that are delivered together has a lane to itself. One without a buffer, and those behind it, are not used. */
  readonly lanes: readonly ReadLane[];
  /**
   * Whether {@link READ} events of this registration are read ahead of (at first they are not, and never again once it
   * ended). To be allowed only while the sink takes bytes: what was read is handed over once, also where the leave was
   * taken back, by a sink of the same few, after the read.
   */
  allow(handle: PollHandle, on: boolean): void;
  /**
   * Takes out what has been read for a registration whose sink was not called for it yet, as a copy: before its descriptor
   * becomes somebody else's. `undefined` where there is nothing, null where the buffer was detached after the read.
   */
  reclaim(handle: PollHandle): Uint8Array<ArrayBuffer> | undefined | null;
}

/** Somebody who does something for the sinks that are called one after the other: once for each, in place of a tick. */
export interface DeliveryTurns {
  /** Sinks are about to be called. */
  begin(): void;
  /** Ticks and promises of a sink have run. True when there may be more of them now: it is called again behind them. */
  settled(): boolean;
  /** No more sinks are called, or one has thrown, and {@link settled} was not called for it. */
  end(): void;
}

/** Where reads put their bytes. */
export interface ReadLane {
  /**
   * Where in the buffer the next read puts its bytes. Too little room behind it: nothing is read ahead. Other than 0 it
   * says that somebody holds what is before it, and may give it back at any time: of the events that are delivered
   * together only the first, which waits for nobody, uses such a lane.
   */
  at: number;
  /** Reads into this buffer from now on. It may be detached at any time: then nothing is read ahead. */
  into(buffer: ArrayBuffer): void;
}

/**
 * Memory that {@link Poller.writePage} writes from: for short pieces that leave together, which cost more as chunks of
 * {@link Poller.writev}. There is one of a poller, for one writer at a time.
 */
export interface WritePage {
  /** Who puts bytes on it, until he sets it to `undefined`. Everybody else uses {@link Poller.writev} meanwhile. */
  owner: object | undefined;
  /** Bytes: 16 KiB. */
  readonly size: number;
  /** Copies `bytes` to where `at` is, and returns where they end. @throws RangeError where there is no room for them */
  put(bytes: Uint8Array, at: number): number;
  /** The same for a latin1 text. @throws RangeError also for a character above U+00FF; what was there is overwritten then */
  putText(text: string, at: number): number;
  /** A copy of a range. */
  slice(from: number, to: number): Uint8Array<ArrayBuffer>;
}

/** How a registration is watched. */
export interface WatchOptions {
  /** Level-triggered unless true. */
  readonly edge?: boolean;
}

/** A numeric address as it is kept where there are many: IPv4 as its 32 bits, signed; others as text. See `hostText`. */
export type Host = string | number;

/** An accepted connection: its descriptor, and where it comes from. */
export interface Accepted {
  /** Non-blocking and close-on-exec; yours to watch and to close. */
  readonly fd: number;
  /** Numeric address, or `""` for a Unix socket. Its text is made at each call. */
  readonly address: string;
  /** The address without making text of it. */
  readonly host: Host;
  /** 0 for a Unix socket. */
  readonly port: number;
}

/** One end of a socket. */
export interface SocketAddress {
  /** Numeric, with `%interface` where it is link-local; for a Unix socket its path (leading NUL = abstract, `""` = none). */
  readonly address: string;
  readonly port: number;
  /** 0 is a Unix socket. */
  readonly family: 4 | 6 | 0;
}

/**
 * A set of watched descriptors, per environment (main thread or worker), and the calls on them.
 *
 * Calls on the kernel return a count, or `-errno`: they never throw for what the kernel says, only `TypeError` /
 * `RangeError` for wrong arguments, and then before anything has changed. None of them waits.
 */
export interface Poller {
  /**
   * Watches `fd` for a combination of {@link READ} and {@link WRITE}; with 0 it is registered, and silent.
   *
   * Returns a handle, or `-errno`: `-EPERM` for a regular file, `-EEXIST` when it is watched already. A registration
   * whose descriptor was closed behind the poller's back is dead from the moment its number is watched again.
   *
   * @throws TypeError on a bad fd, mask or sink.
   */
  watch(fd: number, events: number, sink: PollSink, options?: WatchOptions): PollHandle;
  /**
   * Changes what is watched; 0 takes the descriptor out of the set, so that a hang-up too is seen only after re-arming.
   * On an edge-triggered registration what is ready is reported anew. Returns 0 or `-errno` (`-EBADF`: stale handle).
   */
  modify(handle: PollHandle, events: number): number;
  /** Stops watching; the descriptor stays open. A stale handle is ignored. */
  unwatch(handle: PollHandle): void;
  /** Stops watching and closes the descriptor. Returns 0 or `-errno`; a stale handle is `-EBADF` and closes nothing. */
  close(handle: PollHandle): number;
  /** Whether this registration keeps the process alive (it does at first). A stale handle is ignored. */
  setRef(handle: PollHandle, ref: boolean): void;
  /**
   * Calls `sink.onEvents(0, NOT_READ, 0)` once at the next turn although the kernel reports nothing (for streams that
   * used up their budget, or resumed). It does not keep the process alive by itself. A stale handle is ignored.
   */
  wake(handle: PollHandle): void;
  /** Number of live registrations. */
  readonly size: number;

  /**
   * Reads into `buffer[offset, offset + length)`. 0 is EOF. Works on sockets, pipes and ttys; what is no socket must be
   * non-blocking (see {@link adopt}). Nothing of `buffer` is kept.
   *
   * @throws RangeError when the range is empty or not within the buffer, which a detached one has none of.
   */
  read(fd: number, buffer: Uint8Array, offset: number, length: number): number;
  /**
   * Lets reads be done ahead of events, up to `size` bytes each, once the lanes have buffers. For one user of a poller:
   * `undefined` when somebody has it already.
   */
  readAhead(size: number): ReadAhead | undefined;
  /**
   * Writes chunks in order, from byte `skip` of the first on; a string is latin1 bytes. Returns the bytes taken, or
   * `-errno` when none was. Fewer than all means that the kernel takes no more for now: wait for {@link WRITE}.
   * Never raises SIGPIPE. Nothing of `chunks` is kept. With `more` TCP may keep an incomplete segment back for what
   * follows, for up to 200 ms (`MSG_MORE`, where there is such a thing). @default false
   *
   * @throws TypeError for a chunk that is neither, or was detached; RangeError for a character above U+00FF.
   */
  writev(fd: number, chunks: readonly (Uint8Array | string)[], skip: number, more?: boolean): number;
  /** See {@link writePage}. */
  readonly page: WritePage;
  /**
   * Writes the bytes of the {@link page} from `from` up to `to`, and returns what {@link writev} does.
   *
   * @throws TypeError, RangeError for what is no range of it
   */
  writePage(fd: number, from: number, to: number): number;
  /**
   * `sendfile(2)`: bytes sent, 0 at the end of the file, or `-errno`. At most 256 KiB a call, whatever `length` says,
   * because cold pages block the thread: go on until `-EAGAIN` or a budget of your own is used up.
   */
  sendfile(fd: number, fileFd: number, offset: number, length: number): number;
  /**
   * Whether this range of a file is in memory, as far as can be told without looking at each page, so that
   * {@link sendfile} waits for no disk: 1, or 0, or `-errno` where the kernel does not tell (`-ENOTSUP` on macOS). Asking
   * for what is not there may begin to read it.
   */
  cached(fileFd: number, offset: number, length: number): number;

  /** A non-blocking, close-on-exec stream socket. `family` is 4, 6 or 0 (Unix). Returns fd or `-errno`. */
  socket(family: 4 | 6 | 0): number;
  /**
   * Binds to a numeric address and port, or to a path (Unix; leading NUL = abstract; the port is ignored). 0 or
   * `-errno`; `-EINVAL` for what is no address of the socket's family, `-ENAMETOOLONG` for a path above 107 bytes.
   */
  bind(fd: number, address: string, port: number): number;
  /** Starts listening. 0 or `-errno`. */
  listen(fd: number, backlog: number): number;
  /** Accepts one connection, non-blocking and close-on-exec. `-EAGAIN` when none is waiting. */
  accept(fd: number): Accepted | number;
  /** Starts a connection, to an address as {@link bind} takes it: 0, or `-errno` (`-EINPROGRESS` is the usual answer). */
  connect(fd: number, address: string, port: number): number;
  /** Takes the pending `SO_ERROR` of a socket, as a positive errno (0: none); `-errno` when there is no asking it. */
  socketError(fd: number): number;
  /** Half-close: no more writes. 0 or `-errno`. */
  shutdown(fd: number): number;
  /**
   * Closes a descriptor that is not watched. 0 or `-errno`. If it is watched after all, its registration is dead from
   * now on (its handle answers `-EBADF`) but remains counted until {@link unwatch}.
   */
  closeFd(fd: number): number;
  /** The socket's own name, or `-errno`. */
  getsockname(fd: number): SocketAddress | number;
  /** The peer's name, or `-errno` (`-ENOTCONN`). */
  getpeername(fd: number): SocketAddress | number;
  /**
   * Sets an option: 0 or `-errno`. What `value` means, {@link SocketOption} says.
   *
   * @throws TypeError for an unknown option, or a value that is no number; RangeError unless it is an integer from 0 to
   *   2³¹ − 1
   */
  setsockopt(fd: number, option: SocketOption, value: number): number;
  /** Makes a descriptor that somebody gave us non-blocking and close-on-exec. 0 or `-errno`. */
  adopt(fd: number): number;
  /** `pipe2(O_NONBLOCK | O_CLOEXEC)`: `[readFd, writeFd]` or `-errno`. For tests and examples. */
  pipe(): readonly [number, number] | number;
  /** A connected pair of Unix stream sockets, or `-errno`. For tests and examples. */
  socketpair(): readonly [number, number] | number;
  /** The name of an errno of either sign, e.g. `ECONNREFUSED`; `errno 4711` where it has none. */
  errnoName(errno: number): string;
}

/** An option of a socket. Where 1 and 0 are on and off, every other number is on. */
export type SocketOption =
  /** Binds to an address of which old connections are still in TIME_WAIT: 1 or 0, before `bind`. */
  | "reuseAddr"
  /** Several sockets bind to one address, and the kernel spreads connections over them (Linux): 1 or 0, before `bind`. */
  | "reusePort"
  /** A socket of family 6 takes no IPv4: 1 or 0, before `bind`. */
  | "v6Only"
  /** Small segments leave at once, which turns Nagle's algorithm off: 1 or 0. */
  | "noDelay"
  /** Probes a silent peer: seconds of silence before the first probe, 0 is off. */
  | "keepAlive"
  /** Closing drops what is unsent and sends a reset: 1 or 0. */
  | "linger0"
  /** Bytes that the kernel keeps for sending. It has limits of its own, and Linux takes twice the number. */
  | "sendBuffer"
  /** Bytes that the kernel keeps of what was received, likewise; before `listen` and `connect` for windows above 64 KiB. */
  | "receiveBuffer";
