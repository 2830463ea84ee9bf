// The entry of a pool's thread: takes one order at a time and says what became of it. One file that imports nothing of
// ours, so that a bundle can carry it along by copying it.

import { inspect, types } from "node:util";
import { isMainThread, type MessagePort, type Transferable, workerData } from "node:worker_threads";
import type { TaskErrorCode } from "./errors.js";
import type { Transferring } from "./transferring.js";
import type { Answer, Order, ThreadStart, Thrown, ThrownError } from "./wire.js";

/** Errors that one failure takes along: its causes, and those of an `AggregateError`. Bounds rings, too. */
const MAX_ERRORS = 64;

const TRANSFERRING = Symbol.for("@tw/ioloop.transferring");
const TW_ERROR = Symbol.for("@tw/util.TwError");
const OWN_FIELDS: ReadonlySet<string> = new Set(["name", "message", "stack", "cause", "errors"]);

interface Outcome {
  readonly answer: Answer;
  readonly transfer: readonly Transferable[];
}

/**
 * Runs one order in this thread. For pools of others, which call it by this name; never rejects.
 *
 * They send what it returns as they see fit: as a copy, and a result that cannot be sent ends the thread of some. So the
 * answer goes by the order's own port, if there is one, and nothing is returned.
 */
export async function runTask(order: Order): Promise<Answer | undefined> {
  const outcome = await perform(order);
  if (order.reply === undefined) return outcome.answer;
  send(order.reply, order.name, outcome);
  return undefined;
}

async function perform({ module, name, args }: Order): Promise<Outcome> {
  let exports: Record<string, unknown>;
  try {
    exports = (await import(module)) as Record<string, unknown>;
  } catch (error) {
    return failed(fault("ERR_TW_TASK_MODULE", `Cannot load the module ${module}`, error));
  }
  const fn = Object.hasOwn(exports, name) ? exports[name] : undefined;
  if (typeof fn !== "function") {
    const known = Object.keys(exports).slice(0, 20).join(", ") || "nothing";
    const message = `${module} exports no function ${JSON.stringify(name)}; it exports ${known}`;
    return failed(fault("ERR_TW_TASK_EXPORT", message));
  }
  try {
    const value: unknown = await fn(...args);
    if (!isTransferring(value)) return { answer: { at: "value", value }, transfer: [] };
    return { answer: { at: "value", value: value.value }, transfer: value.transfer };
  } catch (error) {
    return failed(encode(error, { left: MAX_ERRORS }));
  }
}

function serve({ port, begun }: ThreadStart): void {
  port.on("message", async (order: Order) => {
    Atomics.store(begun, 0, 1);
    send(port, order.name, await perform(order));
  });
  port.on("messageerror", (error) => {
    const message = "The arguments cannot be read in the executor's thread";
    port.postMessage(failed(fault("ERR_TW_TASK_CLONE", message, error)).answer);
  });
}

function send(port: MessagePort, name: string, { answer, transfer }: Outcome): void {
  try {
    port.postMessage(answer, transfer);
  } catch (error) {
    const message = `What ${name}() returned cannot be sent to the loop's thread`;
    port.postMessage(failed(fault("ERR_TW_TASK_CLONE", message, error)).answer);
  }
}

function isTransferring(value: unknown): value is Transferring<unknown> {
  return typeof value === "object" && value !== null && TRANSFERRING in value;
}

function failed(thrown: Thrown): Outcome {
  return { answer: { at: "thrown", thrown }, transfer: [] };
}

function fault(code: TaskErrorCode, message: string, cause?: unknown): Thrown {
  if (cause === undefined) return { kind: "fault", code, message };
  return { kind: "fault", code, message, cause: encode(cause, { left: MAX_ERRORS }) };
}

/** Never throws, whatever the getters of a thrown thing do. */
function encode(thrown: unknown, budget: { left: number }): Thrown {
  try {
    if (thrown instanceof Error || types.isNativeError(thrown)) return encodeError(thrown, budget);
    if (isCloneable(thrown)) return { kind: "value", value: thrown };
    return fault(
      "ERR_TW_TASK_CLONE",
      `The task threw what cannot be cloned: ${inspect(thrown).slice(0, 256)}`,
    );
  } catch {
    return fault("ERR_TW_TASK_CLONE", "The task threw something that cannot even be looked at");
  }
}

function encodeError(error: Error, budget: { left: number }): ThrownError {
  budget.left--;
  const properties: Record<string, unknown> = {};
  for (const key of Object.keys(error)) {
    const value: unknown = (error as unknown as Record<string, unknown>)[key];
    if (!OWN_FIELDS.has(key) && isCloneable(value)) properties[key] = value;
  }
  const cause = Object.hasOwn(error, "cause") && budget.left > 0 ? encode(error.cause, budget) : undefined;
  const aggregated: unknown = error instanceof AggregateError ? error.errors : undefined;
  const errors: Thrown[] = [];
  for (const each of Array.isArray(aggregated) ? aggregated : []) {
    if (budget.left > 0) errors.push(encode(each, budget));
  }
  return {
    kind: "error",
    name: String(error.name),
    message: String(error.message),
    stack: typeof error.stack === "string" ? error.stack : undefined,
    base: baseOf(error),
    tw: TW_ERROR in error,
    properties,
    ...(cause === undefined ? {} : { cause }),
    ...(errors.length === 0 ? {} : { errors }),
  };
}

function baseOf(error: Error): string {
  const bases = [AggregateError, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];
  return bases.find((base) => error instanceof base)?.name ?? "Error";
}

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

const start = workerData as Partial<ThreadStart> | null | undefined;
if (!isMainThread && start?.twExecutor === true && start.port !== undefined) serve(start as ThreadStart);
