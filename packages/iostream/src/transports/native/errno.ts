// Kernel errors as Node shapes them, so that `error.code` reads the same on both engines.

import { constants } from "node:os";
import type { Poller } from "@tw/poller";

/** An error as Node's own network modules make it. */
export interface SystemError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
}

/** Where a call went wrong. */
export interface SocketPlace {
  readonly address: string;
  /** 0 where there is none: of a path, or before the kernel chose one. */
  readonly port: number;
}

/** Makes the error of a call that returned `-errno`; with a place, `connect ECONNREFUSED 127.0.0.1:8888`. */
export function systemError(
  poller: Poller,
  result: number,
  syscall: string,
  place?: SocketPlace,
): SystemError {
  const code = poller.errnoName(-result);
  const what = `${syscall} ${code}`;
  const facts = { code, errno: result, syscall };
  if (place === undefined) return Object.assign(new Error(what), facts);
  const { address, port } = place;
  if (port === 0) return Object.assign(new Error(`${what} ${address}`), facts, { address });
  return Object.assign(new Error(`${what} ${address}:${port}`), facts, { address, port });
}

// Linux and macOS share these few; the rest is named by the poller.
const EAGAIN = process.platform === "darwin" ? 35 : 11;
const EINTR = 4;

const { ECONNABORTED, ECONNRESET, EHOSTUNREACH, ENETDOWN, ENETUNREACH, ENOTCONN, EPIPE, ETIMEDOUT } =
  constants.errno;
const LOST: ReadonlySet<number> = new Set([
  EPIPE,
  ECONNRESET,
  ETIMEDOUT,
  ECONNABORTED,
  ENOTCONN,
  EHOSTUNREACH,
  ENETUNREACH,
  ENETDOWN,
]);

/** Nothing there just now; the poller will tell. */
export function wouldBlock(result: number): boolean {
  return result === -EAGAIN;
}

/** The peer is gone, or cannot be reached any more. */
export function lostPeer(result: number): boolean {
  return LOST.has(-result);
}

/** A signal came first: the same call again. */
export function interrupted(result: number): boolean {
  return result === -EINTR;
}
