// A test that leaves handlers, timers, streams or listening sockets behind fails, and says where each was made.

import { checkDurationMs, checkFunction, checkOptions, TwError } from "@tw/util";
import { lineOf, type Resource, type ResourceKind, Tracker } from "./tracker.js";

/** Options of a {@link LeakGuard}. */
export interface LeakGuardOptions {
  /** What is not counted: a timer that a layer is meant to keep, say. */
  readonly ignore?: (resource: Resource) => boolean;
  /** Which kinds count. @default all four */
  readonly kinds?: readonly ResourceKind[];
  /** Real milliseconds that {@link LeakGuard.close} gives what is on its way to its end; nothing is waited for without need. @default 200 */
  readonly graceMs?: number;
}

/** `ERR_TW_LEAK`: something outlived its test. */
export class LeakError extends TwError {
  /** What is still there. */
  readonly leaks: readonly Resource[];

  constructor(leaks: readonly Resource[]) {
    const list = leaks.map((leak) => `\n  ${lineOf(leak)}`).join("");
    super("ERR_TW_LEAK", `Still there at the end:${list}`);
    this.leaks = leaks;
  }
}

const DEFAULT_GRACE_MS = 200;
const KINDS: readonly ResourceKind[] = ["handler", "timer", "stream", "listener"];

/** Watches from its making until it is closed or stopped. See {@link watchLeaks}. */
export class LeakGuard implements AsyncDisposable {
  readonly #tracker = new Tracker();
  readonly #counts: (resource: Resource) => boolean;
  readonly #graceMs: number;
  #over = false;

  constructor(options: LeakGuardOptions = {}) {
    checkGuardOptions(options);
    const { ignore, kinds = KINDS, graceMs = DEFAULT_GRACE_MS } = options;
    this.#counts = (resource) => kinds.includes(resource.kind) && ignore?.(resource) !== true;
    this.#graceMs = graceMs;
    this.#tracker.start();
  }

  /** What was made since and is still there. */
  leaks(): Resource[] {
    return this.#tracker.count() === 0 ? [] : this.#tracker.pending().filter(this.#counts);
  }

  /** @throws LeakError `ERR_TW_LEAK` when anything is still there at this moment */
  check(): void {
    const leaks = this.leaks();
    if (leaks.length > 0) throw new LeakError(leaks);
  }

  /** Watches no more, without asking. Idempotent. */
  stop(): void {
    this.#over = true;
    this.#tracker.stop();
  }

  /**
   * Waits up to `graceMs` for what is on its way to its end (a close that the peer has yet to hear of), and watches no
   * more. Idempotent.
   *
   * @throws LeakError `ERR_TW_LEAK` when something is left
   */
  async close(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    try {
      // Real time on purpose: whoever is to end may wait for the kernel.
      for (let waited = 0; waited <= this.#graceMs && this.leaks().length > 0; waited++) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      this.check();
    } finally {
      this.#tracker.stop();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** @throws TypeError on options that are none; RangeError on an unknown kind or what is no grace */
export function checkGuardOptions(options: LeakGuardOptions, name = "options"): void {
  checkOptions(name, options, { number: "graceMs", array: "kinds" });
  const { ignore, kinds = KINDS, graceMs = DEFAULT_GRACE_MS } = options;
  if (ignore !== undefined) checkFunction("ignore", ignore);
  if (!Array.isArray(kinds)) throw new TypeError(`kinds must be an array, got ${typeof kinds}`);
  for (const kind of kinds)
    if (!KINDS.includes(kind)) throw new RangeError(`Not a kind of resource: ${kind}`);
  checkDurationMs("graceMs", graceMs);
}

/**
 * Begins to watch what is made in this thread: handlers on descriptors, timers of loops, streams, listening
 * sockets. Tests that run at the
 * same time in one thread are told of each other's: run them one after the other.
 *
 * @throws TypeError on options that are none; RangeError on an unknown kind or what is no grace
 * @example
 * await using guard = watchLeaks();
 * const stream = await new TCPClient().connect("localhost", port);
 * await stream.close(); // without it, the end of the block throws LeakError and names this line's neighbour above
 */
export function watchLeaks(options: LeakGuardOptions = {}): LeakGuard {
  return new LeakGuard(options);
}

/**
 * Makes a test function that fails when something survives it; for any runner. A failure of its own goes first.
 *
 * @example
 * it("answers", leakGuard(async () => {
 *   await using server = await start();
 *   …
 * }));
 */
export function leakGuard<A extends readonly unknown[], R>(
  fn: (...args: A) => R | PromiseLike<R>,
  options: LeakGuardOptions = {},
): (...args: A) => Promise<R> {
  if (typeof fn !== "function") throw new TypeError("leakGuard() takes a function");
  checkGuardOptions(options);
  return async (...args) => {
    const guard = watchLeaks(options);
    try {
      const result = await fn(...args);
      await guard.close();
      return result;
    } finally {
      guard.stop();
    }
  };
}

/** The hooks of a test runner; those of vitest, `node:test`, Jest and Mocha fit. */
export interface TestHooks {
  beforeEach(hook: () => void): unknown;
  afterEach(hook: () => Promise<void>): unknown;
}

/**
 * Guards each test of a file. Call it before other hooks are registered: what an `afterEach` closes is then closed
 * before the guard looks, in runners that call those hooks in reverse order (vitest, Jest); in others call it last.
 *
 * @example
 * guardEachTest({ beforeEach, afterEach });
 */
export function guardEachTest(hooks: TestHooks, options: LeakGuardOptions = {}): void {
  checkGuardOptions(options);
  let guard: LeakGuard | undefined;
  hooks.beforeEach(() => {
    guard?.stop();
    guard = watchLeaks(options);
  });
  hooks.afterEach(async () => {
    const ended = guard;
    guard = undefined;
    await ended?.close();
  });
}
