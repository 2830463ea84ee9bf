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
  /** A path has none. */
  readonly port?: number;
}

/** Makes the error of a call that returned `-errno`; with a place, `connect ECONNREFUSED 127.0.0.1:8888`. */
export function systemError(
  poller: Poller,
  result: number,
  syscall: string,
  place?: SocketPlace,
): SystemError {
  const code = poller.errnoName(-result);
  const port = place?.port === undefined ? "" : `:${place.port}`;
  const where = place === undefined ? "" : ` ${place.address}${port}`;
  return Object.assign(new Error(`${syscall} ${code}${where}`), { code, errno: result, syscall }, place);
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
