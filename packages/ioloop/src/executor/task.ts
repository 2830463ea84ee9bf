// What an executor runs: a function that a module exports, by the module's URL and the export's name. A closure cannot
// go to another thread; a module can be loaded there.

import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import type { Transferable } from "node:worker_threads";
import { checkOptions, checkSignal } from "@tw/util";
import type { Transferring } from "./transferring.js";
import type { Order } from "./wire.js";

declare const SIGNATURE: unique symbol;

/** Any function that may be a task. */
export type TaskFunction = (...args: never) => unknown;

/** What a task takes, anything where nothing is known of it; it arrives as a structured clone. */
export type TaskArgs<F extends TaskFunction> = F extends (...args: infer A) => unknown
  ? [A] extends [never]
    ? unknown[]
    : A
  : never;

/** What a task resolves with, a structured clone of what it returned. */
export type TaskResult<F extends TaskFunction> = Moved<Awaited<ReturnType<Callable<F>>>>;

type Moved<R> = R extends Transferring<infer T> ? T : R;

type Callable<F> = F extends (...args: infer A) => infer R ? (...args: A) => R : never;

/** How one run of a task is to go. */
export interface TaskOptions {
  /**
   * Gives the task up, which rejects with `signal.reason`. One that waits is forgotten; under one that runs the thread
   * is ended, wherever it was, and another takes its place: what it had half done outside of its memory stays so.
   */
  readonly signal?: AbortSignal | undefined;
  /** What of the arguments moves instead of being copied; it is unusable here from then on, whatever becomes of the task. */
  readonly transfer?: readonly Transferable[] | undefined;
}

/** A function exported by a module, and how to run it. {@link tasksOf} makes typed ones; a plain object does as well. */
export interface Task<F extends TaskFunction = TaskFunction> extends TaskOptions {
  /** A `file:`, `data:` or `node:` URL, or an absolute path. Never take it from a peer: whoever names it runs code. */
  readonly module: URL | string;
  /** The export's name; `default` for the default export. */
  readonly name: string;
  /** Exists for the compiler only. */
  readonly [SIGNATURE]?: F;
}

/** The names of a module's exports that are functions. */
export type TaskName<M> = { [K in keyof M]: M[K] extends TaskFunction ? K : never }[keyof M] & string;

/**
 * Names the functions of a module as tasks, with the types that they have there.
 *
 * @throws TypeError when `module` is no absolute URL or path, `name` is no string, or `options` are none
 * @example
 * const work = tasksOf<typeof import("./work.js")>(new URL("./work.js", import.meta.url));
 * const digest = await loop.runInExecutor(undefined, work("hash"), "a password");
 */
export function tasksOf<M>(
  module: URL | string,
): <K extends TaskName<M>>(name: K, options?: TaskOptions) => Task<Extract<M[K], TaskFunction>> {
  const url = moduleUrl(module);
  return (name, options = {}) => {
    checkName(name);
    checkOptions("options", options, { AbortSignal: "signal", array: "transfer" });
    return { ...options, module: url, name };
  };
}

/** What goes to the thread. @throws TypeError when `task` is not one */
export function orderOf(task: Task, args: readonly unknown[]): Order {
  if (typeof task !== "object" || task === null) {
    throw new TypeError(
      `A task must be { module, name }: a function exported by a module, got ${task === null ? "null" : typeof task}. A closure cannot go to another thread`,
    );
  }
  const { name, signal, transfer } = task;
  checkName(name);
  checkSignal(signal);
  if (transfer !== undefined && !Array.isArray(transfer))
    throw new TypeError("A task's transfer must be an array");
  return { module: moduleUrl(task.module), name, args };
}

const SCHEMES: ReadonlySet<string> = new Set(["file:", "data:", "node:"]);

/** A relative one would be taken from the thread's entry, which nobody means. */
function moduleUrl(module: URL | string): string {
  const text = module instanceof URL ? module.href : module;
  if (typeof text === "string") {
    if (isAbsolute(text)) return pathToFileURL(text).href;
    if (URL.canParse(text) && SCHEMES.has(new URL(text).protocol)) return text;
  }
  const got = typeof text === "string" ? JSON.stringify(text.slice(0, 128)) : typeof text;
  throw new TypeError(
    `A task's module must be a file:, data: or node: URL or an absolute path, got ${got}. For a module beside this one: new URL("./work.js", import.meta.url)`,
  );
}

function checkName(name: unknown): void {
  if (typeof name !== "string" || name === "") {
    throw new TypeError(`A task's name must be that of an export, got ${name === "" ? '""' : typeof name}`);
  }
}
