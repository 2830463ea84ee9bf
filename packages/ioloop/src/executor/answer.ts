// Makes errors again of what a thread sent of them: same name, message, stack, causes and own properties, of the same
// built-in class, and with the same rings.

import { TwError } from "@tw/util";
import { ExecutorError } from "./errors.js";
import type { Answer, Thrown, ThrownError } from "./wire.js";

/** Returns the result of a task. @throws what the task threw */
export function takeAnswer(answer: Answer): unknown {
  if (answer.at === "value") return answer.value;
  throw decode(answer.thrown, new Map());
}

/** `made` are the errors made so far: one that was met in two places is one again. */
function decode(thrown: Thrown, made: Map<ThrownError, Error>): unknown {
  if (thrown.kind === "value") return thrown.value;
  if (thrown.kind === "error") return made.get(thrown) ?? decodeError(thrown, made);
  const { code, message, cause } = thrown;
  return new ExecutorError(code, message, cause === undefined ? undefined : { cause: decode(cause, made) });
}

const BASES: Readonly<Record<string, new (message: string) => Error>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

function decodeError(thrown: ThrownError, made: Map<ThrownError, Error>): Error {
  const { name, stack, properties, cause, errors } = thrown;
  const error = create(thrown);
  made.set(thrown, error);
  if (error.name !== name) define(error, "name", name);
  define(error, "stack", stack);
  if (cause !== undefined) define(error, "cause", decode(cause, made));
  const all = errors?.map((each) => decode(each, made));
  if (all !== undefined) define(error, "errors", all);
  for (const [key, value] of Object.entries(properties)) {
    Object.defineProperty(error, key, { value, configurable: true, enumerable: true, writable: true });
  }
  return error;
}

function create({ name, message, base, tw, properties }: ThrownError): Error {
  if (tw) return new TwError(String(properties.code), message);
  if (base === "AggregateError") return new AggregateError([], message);
  // Its code follows from its name.
  if (base === "DOMException") return new DOMException(message, name);
  return new (BASES[base] ?? Error)(message);
}

/** As Error's own fields are: not enumerable. */
function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, enumerable: false, writable: true });
}
