// The functions of native/poller.c as JavaScript sees them, and where its compiled file is found.

import { createRequire } from "node:module";
import { target } from "./target.js";
import type { Accepted, PollHandle, SocketAddress } from "./types.js";

/** Called by the addon once per event: the slot that the registration has, and what is ready. */
export type Dispatch = (slot: number, events: number) => void;

/** What `create()` of the addon returns. Each function checks its arguments itself. */
export interface NativePoller {
  watch(fd: number, events: number, edge: boolean): PollHandle;
  modify(handle: PollHandle, events: number): number;
  unwatch(handle: PollHandle): number;
  close(handle: PollHandle): number;
  size(): number;
  setRef(handle: PollHandle, ref: boolean): void;
  wake(handle: PollHandle): void;
  read(fd: number, buffer: Uint8Array, offset: number, length: number): number;
  /**
   * Up to four chunks, from byte `skip` of the first on. A string must be shorter than the addon's scratch space:
   * {@link LONGEST_STRING} is safe.
   */
  write(fd: number, skip: number, ...chunks: (Uint8Array | string)[]): number;
  /** Any number of chunks. */
  writev(fd: number, skip: number, chunks: readonly (Uint8Array | string)[]): number;
  sendfile(fd: number, fileFd: number, offset: number, length: number): number;
  socket(family: number): number;
  bind(fd: number, address: string, port: number): number;
  listen(fd: number, backlog: number): number;
  accept(fd: number): Accepted | number;
  connect(fd: number, address: string, port: number): number;
  socketError(fd: number): number;
  shutdown(fd: number): number;
  closeFd(fd: number): number;
  getsockname(fd: number): SocketAddress | number;
  getpeername(fd: number): SocketAddress | number;
  setsockopt(fd: number, option: number, value: number): number;
  adopt(fd: number): number;
  pipe(): readonly [number, number] | number;
  socketpair(): readonly [number, number] | number;
}

/** The addon's exports. */
export interface Addon {
  create(dispatch: Dispatch): NativePoller;
}

/** Characters of the longest string that the addon is handed. */
export const LONGEST_STRING = 16384;

/** Loads the compiled addon of this host. @throws whatever `require` says where there is none. */
export function requireAddon(): Addon {
  // src/ and dist/ lie at the same depth, so the same relative path serves both.
  return createRequire(import.meta.url)(`../prebuilds/${target()}.node`) as Addon;
}
