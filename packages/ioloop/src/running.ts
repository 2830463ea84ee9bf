// What start() and stop() do: hold the process, and on a signal let the servers finish first.
//
//   start() ──► holding ──stop()──────────────────────────────► resolved
//                  └──SIGTERM──► hooks run ──all settled────────►
//                                    └──stopTimeoutMs, a second signal or stop()──►
//
// A stop() while nothing is started is kept for the next start(). One that comes when a start() has ended, and whoever waits for
// it cannot have heard yet, was meant for that one: two parties that both stop are ordinary.

import { constants } from "node:os";
import { checkDurationMs, checkFunction, checkOptions, Deferred, type Logger, logSafely } from "@tw/util";
import { captureLastingScope, enterScope } from "./context/capture.js";
import { LoopRunningError } from "./errors.js";
import type { LoopHost, LoopSignal } from "./host.js";
import { callWatched, Job, reportFailure } from "./job.js";
import type { Hold } from "./run.js";
import type { Timeout } from "./timers.js";

/** How `start()` ends. */
export interface StartOptions {
  /** Signals that run the stop hooks and then end `start()`; `false` leaves signals alone. @default SIGINT and SIGTERM */
  readonly signals?: boolean | readonly LoopSignal[];
  /**
   * Milliseconds that the stop hooks may take together, at most 31 years; then `start()` resolves without waiting for them,
   * and a warning is logged. A second signal cuts the wait short. @default 30000
   */
  readonly stopTimeoutMs?: number;
}

/** What a server registers with `loop.onStop`. A promise it returns is awaited, within `stopTimeoutMs`. */
export type StopHook = (signal: LoopSignal) => unknown;

/** The default of {@link StartOptions.stopTimeoutMs}. */
export const STOP_TIMEOUT_MS = 30_000;

/** What {@link Running} needs of its loop. */
interface Surroundings {
  readonly logger: Logger;
  addCallback(fn: () => void): void;
  callLater(delayMs: number, fn: () => void): Timeout;
  removeTimeout(handle: Timeout): void;
}

const DEFAULT_SIGNALS: readonly LoopSignal[] = ["SIGINT", "SIGTERM"];
const UNSTOPPABLE = new Set(["SIGKILL", "SIGSTOP"]);
const nothing = (): void => undefined;

/** What ends the pending `start()`, or where the loop is without one. */
type State = "idle" | "stopped" | "ending" | (() => void);

/** The running state of one loop: at most one `start()` is pending. */
export class Running {
  readonly #loop: Surroundings;
  readonly #host: LoopHost;
  readonly #hooks = new Set<Job>();
  #state: State = "idle";

  constructor(loop: Surroundings, host: LoopHost) {
    this.#loop = loop;
    this.#host = host;
  }

  get pending(): boolean {
    return typeof this.#state === "function";
  }

  onStop(hook: StopHook): () => void {
    checkFunction("A stop hook", hook);
    const job = new Job(this.#loop, hook, [], captureLastingScope());
    this.#hooks.add(job);
    return () => {
      this.#hooks.delete(job);
    };
  }

  start(options: StartOptions = {}): Promise<void> {
    return this.hold(options).ended;
  }

  hold(options: StartOptions): Hold {
    checkOptions("options", options, { number: "stopTimeoutMs", array: "signals" });
    const { signals = true, stopTimeoutMs = STOP_TIMEOUT_MS } = options;
    checkSignals(signals);
    checkDurationMs("stopTimeoutMs", stopTimeoutMs);
    if (this.pending) throw new LoopRunningError();

    const done = new Deferred();
    let release = nothing;
    let stopping = false;
    const finish = (): void => {
      if (this.#state !== finish) return;
      this.#state = "ending";
      release();
      done.resolve();
    };
    const onSignal = (signal: LoopSignal): void => {
      if (stopping) {
        finish();
        return;
      }
      stopping = true;
      this.#runHooks(signal, stopTimeoutMs, done.promise).then(finish);
    };

    // A copy, each once: one that is heard of twice would be its own second signal, and the array is the caller's.
    const names = [...new Set(signals === true ? DEFAULT_SIGNALS : signals === false ? [] : signals)];
    release = this.#host.hold?.(names, onSignal) ?? nothing;
    if (this.#state === "stopped") this.#loop.addCallback(finish);
    this.#state = finish;
    // Before whoever is given the promise hears of it.
    void done.promise.then(() => {
      if (this.#state === "ending") this.#state = "idle";
    });
    return { ended: done.promise, end: finish };
  }

  /** Ends the pending `start()`, or the next one after a turn, unless one is ending. */
  stop(): void {
    if (typeof this.#state === "function") this.#state();
    else if (this.#state === "idle") this.#state = "stopped";
  }

  /** Settles when all hooks have, when time is up, or when `start()` has ended otherwise. Never rejects. */
  async #runHooks(signal: LoopSignal, stopTimeoutMs: number, ended: Promise<void>): Promise<void> {
    // The time is set first: a hook may stop and close the loop.
    const expired = new Deferred();
    const timer = this.#loop.callLater(stopTimeoutMs, () => {
      logSafely(this.#loop.logger, "warn", { signal, stopTimeoutMs }, "Stop hooks did not finish in time");
      expired.resolve();
    });
    const hooks = [...this.#hooks].map((job) => {
      // One may take back another.
      return this.#hooks.has(job) ? enterScope(job.scope, callHook, job, signal) : undefined;
    });
    await Promise.race([Promise.all(hooks), expired.promise, ended]);
    this.#loop.removeTimeout(timer);
  }
}

/** @throws TypeError unless they can be waited for: nobody can for SIGKILL and SIGSTOP */
function checkSignals(names: unknown): void {
  if (typeof names === "boolean") return;
  if (!Array.isArray(names))
    throw new TypeError(`signals must be a boolean or an array of names, got ${typeof names}`);
  for (const name of names) {
    if (typeof name === "string" && Object.hasOwn(constants.signals, name) && !UNSTOPPABLE.has(name))
      continue;
    throw new TypeError(`signals must be names of signals that can be caught, got ${JSON.stringify(name)}`);
  }
}

async function callHook(this: Job, signal: LoopSignal): Promise<void> {
  try {
    await callWatched(this.fn as StopHook, signal);
  } catch (error) {
    reportFailure(this.owner, error, "Exception in stop hook");
  }
}
