// The entry of a pool's thread: takes one order at a time and says what became of it. One file that imports nothing of
// ours, so that a bundle can carry it along by copying it.

import { inspect, types } from "node:util";
import { isMainThread, type MessagePort, type Transferable, workerData } from "node:worker_threads";
import type { TaskErrorCode } from "./errors.js";
import type { Transferring } from "./transferring.js";
import type { Answer, Order, ThreadStart, Thrown, ThrownError } from "./wire.js";

/** Errors that one failure takes along: its causes, and those of an `AggregateError`. */
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
    return failed(encode(error, new Map()));
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
  return { kind: "fault", code, message, cause: encode(cause, new Map()) };
}

/** The errors that were met, and what is sent of them. */
type Met = Map<unknown, ThrownError>;

/** Never throws, whatever the getters and traps of a thrown thing do. */
function encode(thrown: unknown, met: Met): Thrown {
  try {
    if (thrown instanceof Error || types.isNativeError(thrown))
      return met.get(thrown) ?? encodeError(thrown, met);
    if (isCloneable(thrown)) return { kind: "value", value: thrown };
    return fault(
      "ERR_TW_TASK_CLONE",
      `The task threw what cannot be cloned: ${inspect(thrown).slice(0, 256)}`,
    );
  } catch {
    return fault("ERR_TW_TASK_CLONE", "The task threw something that cannot even be looked at");
  }
}

function encodeError(error: Error, met: Met): ThrownError {
  const base = baseOf(error);
  const stack: unknown = tried(() => error.stack);
  const encoded: { -readonly [K in keyof ThrownError]: ThrownError[K] } = {
    kind: "error",
    name: tried(() => String(error.name)) ?? base,
    message: tried(() => String(error.message)) ?? "",
    stack: typeof stack === "string" ? stack : undefined,
    base,
    tw: TW_ERROR in error,
    properties: propertiesOf(error),
  };
  // Before its causes, of which it may be one.
  met.set(error, encoded);
  const fits = (other: unknown): boolean => met.size < MAX_ERRORS || met.has(other);
  tried(() => {
    if (!Object.hasOwn(error, "cause")) return;
    const { cause } = error;
    if (fits(cause)) encoded.cause = encode(cause, met);
  });
  tried(() => {
    if (!(error instanceof AggregateError)) return;
    const errors: Thrown[] = [];
    encoded.errors = errors;
    for (const each of error.errors) if (fits(each)) errors.push(encode(each, met));
  });
  return encoded;
}

function propertiesOf(error: Error): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  for (const key of tried(() => Object.keys(error)) ?? []) {
    if (OWN_FIELDS.has(key)) continue;
    tried(() => {
      const value = (error as unknown as Record<string, unknown>)[key];
      if (isCloneable(value)) properties[key] = value;
    });
  }
  return properties;
}

/** What `read` finds; nothing where it throws: one getter that does must not cost the rest of an error. */
function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function baseOf(error: Error): string {
  const bases = [
    AggregateError,
    DOMException,
    EvalError,
    RangeError,
    ReferenceError,
    SyntaxError,
    TypeError,
    URIError,
  ];
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
