// The watchdog as the loop's thread has it: starts the watching thread, and passes on what that reports.

import { channel } from "node:diagnostics_channel";
import { isMainThread, Worker } from "node:worker_threads";
import { isPromiseLike, type Logger, logSafely } from "@tw/util";
import { outsideContexts } from "../context.js";
import type { DiagnosticsChannel } from "../diagnostics.js";
import type { LoopHost } from "../host.js";
import { missingEntry } from "../thread-entries.js";
import { activity, setActivity, watched } from "./activity.js";
import { WatchdogError } from "./errors.js";
import { Activity, type LoopActivity, makeMemory } from "./memory.js";
import {
  type BlockingWatchdogOptions,
  type ResolvedWatchdogOptions,
  resolveWatchdogOptions,
} from "./options.js";
import { type BlockedReport, describePosition, describeRunning, worthSaying } from "./report.js";
import { mapped } from "./source-maps.js";
import type { WorkerData } from "./worker.js";

const blockedChannel: DiagnosticsChannel<BlockedReport> = channel("tw:ioloop:blocked");

/** How long a process that ends waits for the watchdog to let go; it takes a millisecond. */
const FAREWELL_MS = 500;

type Message = { readonly report: BlockedReport } | { readonly started: true } | { readonly failed: Error };

/** One watch over one loop, from the constructor to {@link close}. */
export class Watchdog {
  /** Resolves when the thread is watching. Pre-observed. */
  readonly whenWatching: Promise<void>;
  readonly #logger: Logger;
  readonly #options: ResolvedWatchdogOptions;
  readonly #activity: Activity;
  readonly #stopPulse: () => void;
  readonly #worker: Worker;
  #closed: Promise<void> | undefined;

  /** @throws WatchdogError `ERR_TW_WATCHDOG_EXISTS`, `ERR_TW_WATCHDOG_HOST` */
  constructor(host: LoopHost, logger: Logger, options: ResolvedWatchdogOptions) {
    if (watched()) {
      throw new WatchdogError(
        "ERR_TW_WATCHDOG_EXISTS",
        "Another loop of this thread has a watchdog: end that first",
      );
    }
    if (host.pulse === undefined) {
      throw new WatchdogError(
        "ERR_TW_WATCHDOG_HOST",
        "The host of this loop has no pulse() in real time: a watchdog needs one, such as NodeHost",
      );
    }
    this.#logger = logger;
    this.#options = options;
    const memory = makeMemory();
    this.#activity = new Activity(memory);
    const { thresholdMs, sampleMs, live, ownUrl, entry } = options;
    const reachable = isMainThread && inspectorAllowed();
    const workerData: WorkerData = {
      twWatchdog: true,
      memory,
      reachable,
      thresholdMs,
      sampleMs,
      live,
      ownUrl,
    };
    // The flags of this process are not for that thread: it runs none of the user's code.
    this.#worker = outsideContexts(
      () => new Worker(entry, { workerData, execArgv: [], name: "tw-watchdog" }),
    );
    this.whenWatching = new Promise((resolve, reject) => this.#listen(resolve, reject));
    this.whenWatching.catch(() => undefined);
    this.#stopPulse = host.pulse(thresholdMs / 4, () => this.#activity.pulse());
    if (isMainThread) process.on("exit", this.#onExit);
    setActivity(this.#activity);
  }

  /** Where code on the loop says what it does; `undefined` when the watch has ended, or its thread has by itself. */
  get activity(): LoopActivity | undefined {
    return this.#closed === undefined ? this.#activity : undefined;
  }

  /** Ends the watch; resolves when the thread is gone. May be repeated. */
  close(): Promise<void> {
    if (this.#closed === undefined) {
      this.#stopPulse();
      process.off("exit", this.#onExit);
      if (activity === this.#activity) setActivity(undefined);
      this.#worker.ref();
      this.#closed = this.#worker.terminate().then(() => undefined);
    }
    return this.#closed;
  }

  readonly #onExit = (): void => {
    this.#worker.postMessage("leave");
    this.#activity.waitUntilGone(FAREWELL_MS);
  };

  #listen(resolve: () => void, reject: (error: Error) => void): void {
    const fail = (error: Error): void => {
      reject(error);
      if (this.#closed !== undefined) return;
      this.close();
      const message = "The blocking watchdog has failed: nobody watches the loop";
      logSafely(this.#logger, "warn", { err: error }, message);
    };
    this.#worker.on("message", (message: Message) => {
      if ("started" in message) {
        // Until here it holds the process, or `await setBlockingWatchdog()` might end one that has nothing else to do.
        this.#worker.unref();
        resolve();
      } else if ("failed" in message) fail(message.failed);
      else if (this.#closed === undefined) this.#onReport(message.report);
    });
    this.#worker.on("error", (error) => fail(startFailure(error, this.#options.entry)));
    this.#worker.on("exit", () =>
      this.#closed === undefined
        ? fail(new WatchdogError("ERR_TW_WATCHDOG_ENDED", "The thread of the watchdog has ended"))
        : resolve(),
    );
  }

  #onReport(raw: BlockedReport): void {
    const report = { ...raw, position: raw.position && mapped(raw.position), stack: raw.stack.map(mapped) };
    if (blockedChannel.hasSubscribers) blockedChannel.publish(report);
    const { onBlocked } = this.#options;
    if (worthSaying(report.count)) logSafely(this.#logger, "warn", fieldsOf(report), "The loop was blocked");
    if (onBlocked === undefined) return;
    try {
      const result = onBlocked(report);
      if (isPromiseLike(result)) result.then(undefined, (error) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(err: unknown): void {
    logSafely(this.#logger, "error", { err }, "Exception in onBlocked");
  }
}

/** Asked here: the watching thread has no permissions of its own to look at, and Node aborts where it connects all the same. */
function inspectorAllowed(): boolean {
  const { permission } = process as { permission?: { has(scope: string): boolean } };
  return permission === undefined || permission.has("inspector");
}

/** What the thread failed with, in our words where its entry, or a part of it, is not there. */
function startFailure(error: Error, entry: URL): Error {
  const { code = "" } = error as NodeJS.ErrnoException;
  if (!/^(?:ERR_)?MODULE_NOT_FOUND$/.test(code)) return error;
  return new WatchdogError("ERR_TW_WATCHDOG_ENDED", missingEntry(entry), { cause: error });
}

/** The watchdog that `IOLoop.setBlockingWatchdog` sets in the place of `former`. */
export function replaceWatchdog(
  former: Watchdog | undefined,
  host: LoopHost,
  logger: Logger,
  options: BlockingWatchdogOptions | undefined,
): Watchdog | undefined {
  const resolved = options === undefined ? undefined : resolveWatchdogOptions(options);
  former?.close();
  return resolved && new Watchdog(host, logger, resolved);
}

function fieldsOf({
  running,
  blockedMs,
  position,
  native,
  count,
  totalMs,
  note,
}: BlockedReport): Record<string, unknown> {
  return {
    blockedMs: Math.round(blockedMs),
    running: describeRunning(running),
    ...(position && { at: describePosition(position) }),
    ...(native && { native }),
    ...(count > 1 && { count, totalMs: Math.round(totalMs) }),
    ...(note && { note }),
  };
}
