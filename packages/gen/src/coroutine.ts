// Coroutines as generators. Async functions do the same; these stay because a generator can be driven on a given loop,
// stopped by a signal at any yield, and yields containers as they are.

import { IOLoop } from "@tw/ioloop";
import { checkFunction } from "@tw/util";
import { convertYielded } from "./convert-yielded.js";
import { checkCall, type LoopOption } from "./options.js";
import { checkQuiet, type QuietOption } from "./quiet.js";
import type { Yieldable, Yielded } from "./yieldable.js";

/** Options of {@link coroutine}. */
export interface CoroutineOptions extends LoopOption, QuietOption {
  /** Throws `signal.reason` into the generator at the yield it waits at, and at every later one. */
  readonly signal?: AbortSignal | undefined;
}

/** The body of a coroutine. What a `yield` gives depends on what was yielded, which no type can say: see {@link wait}. */
// biome-ignore lint/suspicious/noExplicitAny: `unknown` would refuse every generator that uses what a yield gives
export type CoroutineBody<R> = Generator<Yieldable, R, any>;

/**
 * Makes a function that runs a generator and returns the promise of its result. (Tornado's `gen.coroutine`.)
 *
 * It runs at once up to the first `yield`. At each yield it waits as `convertYielded` does and goes on with the result,
 * or with the failure thrown at the yield. `this` and the arguments are handed on. Whatever it throws, before the first
 * yield too, is the rejection of the promise. A function that is no generator function gives what it returns.
 *
 * @throws TypeError when `body` is not a function, and on options that are none
 * @example
 * const total = coroutine(function* (ids: number[]) {
 *   const prices = yield* wait(ids.map((id) => price(id)));
 *   yield; // one turn of the loop for the others
 *   return prices.reduce((sum, each) => sum + each, 0);
 * });
 * console.log(await total([1, 2]));
 */
export function coroutine<This, A extends unknown[], R>(
  body: (this: This, ...args: A) => CoroutineBody<R> | R,
  options: CoroutineOptions = {},
): (this: This, ...args: A) => Promise<Awaited<R>> {
  checkFunction("A coroutine", body);
  checkCall(options);
  checkQuiet(options);
  return async function (this: This, ...args: A): Promise<Awaited<R>> {
    const started = body.apply(this, args);
    return (await (isGenerator(started) ? drive(started, options) : started)) as Awaited<R>;
  };
}

/**
 * Yields something, with the type of what comes back: `const user = yield* wait(load(id))`.
 *
 * @example
 * coroutine(function* () {
 *   const [a, b] = yield* wait([Promise.resolve(1), Promise.resolve("b")]); // number, string
 * });
 */
export function* wait<const T extends Yieldable>(yielded: T): Generator<T, Yielded<T>, Yielded<T>> {
  return yield yielded;
}

/** Which yield gives which type is the business of the body. */
type Convert = (yielded: Yieldable, options: CoroutineOptions) => Promise<unknown>;

async function drive<R>(generator: CoroutineBody<R>, options: CoroutineOptions): Promise<R> {
  // One loop for the whole run: whatever is the current one when it goes on.
  const { loop = IOLoop.current() } = options;
  let step = generator.next();
  while (!step.done) {
    let value: unknown;
    try {
      value = await (convertYielded as Convert)(step.value, { ...options, loop });
    } catch (error) {
      step = generator.throw(error);
      continue;
    }
    step = generator.next(value);
  }
  return step.value;
}

function isGenerator(value: unknown): value is CoroutineBody<never> {
  return Object.prototype.toString.call(value) === "[object Generator]";
}
