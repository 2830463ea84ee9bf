// The end of a loop: what it lets go of, in which order.

import { checkOptions, isPromiseLike, type Logger } from "@tw/util";
import type { CallbackQueue } from "./callbacks.js";
import type { DefaultExecutor } from "./executor/default-executor.js";
import type { Handlers, Pollable } from "./handlers.js";
import { reportFailure } from "./job.js";
import type { LoopHandles } from "./thread/loop-handle.js";
import type { Timers } from "./timers.js";
import type { Watchdog } from "./watchdog/watchdog.js";

/** How a loop is closed. */
export interface CloseOptions {
  /**
   * Whether to close what has a handler too: an object by its `close()` where it has one, else the descriptor. Without
   * it all descriptors stay open, and their owners'. @default false
   */
  readonly allFds?: boolean | undefined;
}

/** @throws TypeError on what is no option */
export function checkCloseOptions(options: CloseOptions): void {
  checkOptions("options", options, { boolean: "allFds" });
  const { allFds } = options;
  if (allFds === undefined || typeof allFds === "boolean") return;
  throw new TypeError(`allFds must be a boolean, got ${typeof allFds}`);
}

/** What a loop is made of and has to let go of. */
export interface LoopParts {
  readonly logger: Logger;
  readonly callbacks: CallbackQueue;
  readonly timers: Timers;
  readonly handlers: Handlers;
  readonly threadHandles: LoopHandles;
  readonly executor: DefaultExecutor;
  readonly watchdog: Watchdog | undefined;
  /** Closes a descriptor; returns 0 or `-errno`. */
  closeFd(fd: number): number;
}

/** Drops all at once, before it returns; resolves when the threads are gone and what was to be closed is. Never rejects. */
export async function closeParts(parts: LoopParts, { allFds = false }: CloseOptions): Promise<void> {
  parts.callbacks.close();
  parts.timers.close();
  parts.threadHandles.close();
  const watched = parts.handlers.removeAll();
  const failed = (error: unknown): void =>
    reportFailure(parts, error, "Exception while an IOLoop was closing");
  const pending: unknown[] = [parts.executor.close(), parts.watchdog?.close()];
  // First all handlers go, then the descriptors: closing one must not call anybody.
  if (allFds) for (const [fd, pollable] of watched) pending.push(closePollable(parts, fd, pollable, failed));
  await Promise.all(pending.map((closing) => Promise.resolve(closing).catch(failed)));
}

function closePollable(
  parts: LoopParts,
  fd: number,
  pollable: Pollable,
  failed: (error: unknown) => void,
): PromiseLike<unknown> | undefined {
  try {
    const closable = pollable as { close?: () => unknown };
    // A descriptor that its owner has closed already (EBADF) is what was wanted.
    if (typeof pollable === "number" || typeof closable.close !== "function") parts.closeFd(fd);
    else {
      const closing = closable.close();
      if (isPromiseLike(closing)) return closing;
    }
  } catch (error) {
    failed(error);
  }
  return undefined;
}
