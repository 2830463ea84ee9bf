// Kernel errors as Node shapes them, so that `error.code` reads the same on both engines.

import type { Poller } from "@tw/poller";

/** An error as Node's own network modules make it. */
export interface SystemError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
}

/** Makes the error of a call that returned `-errno`. */
export function systemError(poller: Poller, result: number, syscall: string): SystemError {
  const code = poller.errnoName(-result);
  return Object.assign(new Error(`${syscall} ${code}`), { code, errno: result, syscall });
}

// Linux and macOS share these few; the rest is named by the poller.
const EAGAIN = process.platform === "darwin" ? 35 : 11;
const EINTR = 4;

/** Nothing there just now; the poller will tell. */
export function wouldBlock(result: number): boolean {
  return result === -EAGAIN;
}

/** A signal came first: the same call again. */
export function interrupted(result: number): boolean {
  return result === -EINTR;
}
