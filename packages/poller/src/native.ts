// The functions of native/poller.c as JavaScript sees them, and where its compiled file is found.

import { createRequire } from "node:module";
import { target } from "./target.js";
import type { Poller, PollHandle, SocketAddress } from "./types.js";

/**
 * Called by the addon with an event: the slot that the registration has × 2^6, and what is ready. Or for events that were
 * read ahead of, with how many lanes they have, negative: again and again until all of them were taken.
 */
export type Dispatch = (what: number) => void;

/** The calls that are the same on both sides: a {@link Poller} hands them through. */
type SharedCalls = Pick<
  Poller,
  | "modify"
  | "setRef"
  | "wake"
  | "read"
  | "writePage"
  | "sendfile"
  | "cached"
  | "socket"
  | "bind"
  | "listen"
  | "connect"
  | "socketError"
  | "shutdown"
  | "closeFd"
  | "getsockname"
  | "getpeername"
  | "adopt"
  | "pipe"
  | "socketpair"
>;

/** What `create()` of the addon returns. Each function checks its arguments itself. */
export interface NativePoller extends SharedCalls {
  watch(fd: number, events: number, edge: boolean): PollHandle;
  /** Whether the handle named anything: 0 or `-EBADF`. */
  unwatch(handle: PollHandle): number;
  /** As {@link Poller.close}; `undefined` for a stale handle, because `-EBADF` may be the kernel's word too. */
  close(handle: PollHandle): number | undefined;
  size(): number;
  /** The words and the slots of src/read-ahead.ts, and the bytes of one read; instead of those before. */
  readAhead(words: Int32Array, allowed: Uint32Array, size: number): void;
  /** The buffer of a lane, instead of the one before. Lanes get their first ones in their order. */
  readAheadInto(lane: number, buffer: ArrayBuffer): void;
  /** Takes what was thrown to `uncaughtException`, or ends the process with it. To be thrown on, which is not told again. */
  failed(error: unknown): void;
  /** The descriptor of one accepted connection, or `-errno`. */
  acceptFd(fd: number): number;
  /** Where the connection accepted last comes from: over IPv4 address × 2^16 + port, else in words. */
  acceptedFrom(): number | SocketAddress;
  /**
   * Up to four chunks, from byte `skip` of the first on. A string must be shorter than the addon's scratch space:
   * {@link LONGEST_STRING} is safe.
   */
  write(fd: number, skip: number, ...chunks: (Uint8Array | string)[]): number;
  /** Any number of chunks. */
  writev(fd: number, skip: number, chunks: readonly (Uint8Array | string)[], more: boolean): number;
  /** The memory of src/write-page.ts, once. */
  page(bytes: Uint8Array): void;
  setsockopt(fd: number, option: number, value: number): number;
}

/** The addon's exports. */
export interface Addon {
  create(dispatch: Dispatch): NativePoller;
}

/** Characters of the longest string that the addon is handed. */
export const LONGEST_STRING = 16384;

/** Loads the compiled addon of this host. @throws whatever `require` says where there is none. */
export function requireAddon(): Addon {
  if ((import.meta as { url?: string }).url === undefined)
    throw new Error("A CommonJS bundle does not know where it is, nor where its addon is");
  // src/ and dist/ lie at the same depth, so the same relative path serves both.
  return createRequire(import.meta.url)(`../prebuilds/${target()}.node`) as Addon;
}
