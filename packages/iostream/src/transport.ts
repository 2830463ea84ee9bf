// The seam where sockets, TLS, pipes and memory pairs meet the library: push with pause.
//
//   kernel ──► transport ──onBytes(view)──► receiver        receiver ──write(chunks)──► transport ──► kernel
//
// The contract, which conformance (testing.ts) examines line by line:
//
//  1. `start(receiver)` is called before anything is delivered. Nothing is delivered during `start` itself. Called again
//     it hands the transport to another receiver, who gets all calls from then on.
//  2. Calls to the receiver never nest, never come during a call on the transport and never after `onClose`, which
//     comes exactly once, last, and always (to whoever starts a transport that is gone already, after `start`).
//  3. After `pause()` returns no `onBytes` and no `onEnd` comes until `resume()`; both are levels and may be repeated.
//     `resume()` delivers nothing before it returns. `onDrain` and `onClose` come all the same, with what came before the
//     error and was not delivered, where the transport has it; a reset that cannot be seen without reading may come
//     after `resume()`.
//  4. A view is valid until `onBytes` returns, or, if it returned a promise, until that settles: its range is leased,
//     and no more is delivered meanwhile. The transport buffers no reads. A rejected promise aborts with that reason.
//  5. `onEnd` says that the peer finished writing (a half-close): writing still works. It comes after all bytes.
//  6. `write(chunks)` takes the chunks in order and returns how many bytes of them it took. Fewer than all: the rest
//     stays the caller's, who leaves it as it is and offers the same bytes again after `onDrain`, first (a transport may
//     have begun to send them; one that calls `end` or `abort` instead cannot know how many of them arrive). Bytes
//     taken belong to nobody afterwards: they are in the kernel, or copied. A string is latin1, one byte a character.
//     Writing after `end`, `abort` or `onClose` takes nothing and is not an error: `onClose` tells why.
//     With `more` something follows at once, and an incomplete segment may wait for it.
//     `sendFile(fd, offset, length)`, where there is one, takes bytes of a file as `write` does, as far as that goes without
//     waiting for a disk: it returns how many, 0 for none until `onDrain`, or `READ_FILE` where the caller has to read and
//     write them himself: they are not in memory, or there are none, or nobody sends from such a descriptor. It is called
//     again while it returns more than 0. The descriptor is not kept.
//     `writePage(count)`, where there is one, takes the first `count` bytes of `page` as `write` does. What it did not take
//     is offered to `write` after `onDrain`.
//  7. `end()` half-closes after what `write` took. When both directions have ended the transport closes by itself.
//  8. `abort(reason)` is now: unsent bytes are dropped, `onClose(reason)` follows in a later turn, never during the call.
//     The peer sees a reset where there is one, so that it takes no truncated message for a whole one; but after `end`
//     it sees all that was sent, and the end.
//  9. An error of the peer or the kernel (reset, timeout) is one `onClose(error)` with `error.code` as Node names it
//     (`ECONNRESET`). A clean end of both directions is `onClose()` without an error.
// 10. A receiver that throws has its transport aborted with what it threw; it never ends the process.
// 11. Descriptors, timers and watchers are gone when `onClose` is called.

/** What `sendFile` returns where the bytes have to be read. */
export const READ_FILE = -1;

/** One connection, pipe or pair of memory buffers. */
export interface Transport {
  start(receiver: TransportReceiver): void;
  pause(): void;
  resume(): void;
  write(chunks: readonly (Uint8Array | string)[], more?: boolean): number;
  sendFile?(fd: number, offset: number, length: number): number;
  writePage?(count: number): number;
  end(): void;
  abort(reason?: unknown): void;
  /** Whether this transport keeps the process alive (it does at first). */
  setRef(ref: boolean): void;
  /** Disables Nagle's algorithm where there is one; it is off from the start. */
  setNodelay?(on: boolean): void;
  /** Has the kernel probe a peer that was silent for so many milliseconds, rounded up to seconds; 0 does not. */
  setKeepAlive?(idleMs: number): void;
  /** Hands the descriptor on and forgets it; `unread` was received and not delivered. */
  release?(): { readonly fd: number; readonly unread: Uint8Array };
  /**
   * Whether `write` may be given the view that is being delivered, during `onBytes`: it is sent or copied when `write`
   * returns, as far as it says, or its memory is never read into again. @default false
   */
  readonly sendsViews?: boolean;
  /** Memory for short pieces that leave together, which many transports share; there where `writePage` is. */
  readonly page?: TransportPage;
  readonly info: TransportInfo;
}

/** Memory that a transport writes from, for one writer at a time; `@tw/poller` has one. */
export interface TransportPage {
  /** Who puts bytes on it, until he sets it to `undefined`. */
  owner: object | undefined;
  /** Bytes. */
  readonly size: number;
  /** Copies `bytes` to where `at` is, and returns where they end. */
  put(bytes: Uint8Array, at: number): number;
  /** The same for a latin1 text. @throws RangeError for a character above U+00FF */
  putText(text: string, at: number): number;
  /** A copy of a range. */
  slice(from: number, to: number): Uint8Array;
}

/** Who is fed by a transport. */
export interface TransportReceiver {
  onBytes(view: Uint8Array): void | Promise<void>;
  onEnd(): void;
  /** After a short `write`: more can be taken. */
  onDrain(): void;
  /** @param unread what came before the error and was not delivered, because of {@link Transport.pause}: the receiver's own */
  onClose(error?: unknown, unread?: Uint8Array): void;
}

/** Facts about a transport; what does not apply is `""` or 0. */
export interface TransportInfo {
  readonly engine: "native" | "node" | "memory";
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly encrypted: boolean;
}
