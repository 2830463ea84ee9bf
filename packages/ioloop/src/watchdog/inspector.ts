// The watchdog's conversation with the main thread's inspector, from its own thread.
//
// V8 serves such a message by an interrupt, which loops and regular expressions look at and native calls do not. So a
// thread in JavaScript answers within a millisecond, and one in a native call when the call is over.
//
// A pause must not last. `Debugger.resume` is sent before anything else is done with what the pause showed; should the
// watchdog's thread end at that moment, its session ends with it, and V8 lets a thread without a debugger go on.

import type { Debugger, Profiler, Session } from "node:inspector";
import { type Frame, pausedStack } from "./stack.js";

/**
 * What asking for the stack came to. `heardAt` is when the thread first heard of it: to serve the question, with many
 * scripts to tell of, takes it another 20 ms. `held`: another debugger has paused the thread, and we leave it alone.
 */
export type PauseResult =
  | { readonly at: "stack"; readonly stack: readonly Frame[]; readonly heardAt: number }
  | { readonly at: "held" | "missed" };

/** Asks the main thread where it is. One question at a time. */
export class Pauser {
  readonly #session: Session;
  readonly #scripts = new Map<string, string>();
  #answer: ((result: PauseResult) => void) | undefined;
  #accepted = false;
  #heardAt = 0;

  constructor(session: Session) {
    this.#session = session;
    session.on("Debugger.scriptParsed", ({ params }) => this.#scripts.set(params.scriptId, params.url));
    session.on("Debugger.paused", ({ params }) => this.#onPaused(params));
  }

  /** Whether a question waits for its answer. */
  get asking(): boolean {
    return this.#answer !== undefined;
  }

  /** Pauses the thread, takes the stack, and lets it go on. `answer` is called once, perhaps much later. */
  ask(answer: (result: PauseResult) => void): void {
    this.#answer = answer;
    this.#accepted = false;
    // It is disabled already: this is the cheapest message there is, and says when the thread listens.
    this.#session.post("Debugger.disable", () => {
      this.#heardAt = performance.now();
    });
    // Enabled only while we ask: V8 runs promises slower under a debugger.
    this.#session.post("Debugger.enable");
    this.#session.post("Debugger.pause", () => {
      this.#accepted = true;
    });
  }

  /** Takes the question back; it is answered with `missed` unless the pause came first. */
  cancel(): void {
    this.#session.post("Debugger.disable", () => this.#settle({ at: "missed" }));
  }

  #onPaused({ callFrames }: Debugger.PausedEventDataType): void {
    // Paused before our own pause was accepted: somebody debugs this process, and it is theirs to resume.
    const held = !this.#accepted;
    if (!held) this.#session.post("Debugger.resume");
    this.#session.post("Debugger.disable");
    const urlOf = (id: string): string => this.#scripts.get(id) ?? "";
    const stack = (): PauseResult => ({
      at: "stack",
      stack: pausedStack(callFrames, urlOf),
      heardAt: this.#heardAt,
    });
    this.#settle(held ? { at: "held" } : stack());
  }

  #settle(result: PauseResult): void {
    const answer = this.#answer;
    this.#answer = undefined;
    this.#scripts.clear();
    // Out of the inspector's call, in which an exception would be lost.
    if (answer !== undefined) setImmediate(answer, result);
  }
}

/**
 * A second profile that lasts from before the end of one until behind the beginning of the next. A profiler that starts
 * walks the heap for functions, which blocks a loop with a heap of some 100 MB for 200 ms; one that is running does not.
 */
const KEEPER = "tw.watchdog";

/** Keeps V8's profiler looking at the main thread's stack, for what cannot be paused. */
export class Sampler {
  readonly #session: Session;
  readonly #everyMs: number;

  constructor(session: Session, everyMs: number) {
    this.#session = session;
    this.#everyMs = everyMs;
  }

  /** Calls back when the profiler runs; at once where sampling is off. */
  start(started: () => void): void {
    if (this.#everyMs === 0) return started();
    this.#session.post("Profiler.enable");
    this.#session.post("Profiler.setSamplingInterval", { interval: Math.round(this.#everyMs * 1000) });
    this.#session.post("Profiler.start", () => setImmediate(started));
  }

  /** Hands over what was seen until now, `undefined` where there is nothing, and goes on with an empty profile. */
  take(taken: (profile: Profiler.Profile | undefined) => void): void {
    if (this.#everyMs === 0) return taken(undefined);
    this.#evaluate(`console.profile("${KEEPER}")`);
    this.#session.post("Profiler.stop", (error, result) => {
      setImmediate(taken, error ? undefined : result.profile);
    });
    this.#session.post("Profiler.start");
    this.#evaluate(`console.profileEnd("${KEEPER}")`);
  }

  #evaluate(expression: string): void {
    this.#session.post("Runtime.evaluate", { expression, silent: true }, () => undefined);
  }
}
