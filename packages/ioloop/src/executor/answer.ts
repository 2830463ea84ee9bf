// Makes errors again of what a thread sent of them: same name, message, stack, causes and own properties, of the same
// built-in class.

import { TwError } from "@tw/util";
import { ExecutorError } from "./errors.js";
import type { Answer, Thrown, ThrownError } from "./wire.js";

/** Returns the result of a task. @throws what the task threw */
export function takeAnswer(answer: Answer): unknown {
  if (answer.at === "value") return answer.value;
  throw decode(answer.thrown);
}

function decode(thrown: Thrown): unknown {
  if (thrown.kind === "value") return thrown.value;
  if (thrown.kind === "error") return decodeError(thrown);
  const { code, message, cause } = thrown;
  return new ExecutorError(code, message, cause === undefined ? undefined : { cause: decode(cause) });
}

const BASES: Readonly<Record<string, new (message: string) => Error>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

function decodeError(thrown: ThrownError): Error {
  const { name, message, stack, base, tw, properties, cause, errors } = thrown;
  let error: Error;
  if (tw) error = new TwError(String(properties.code), message);
  else if (base === "AggregateError") error = new AggregateError((errors ?? []).map(decode), message);
  else error = new (BASES[base] ?? Error)(message);
  if (error.name !== name) define(error, "name", name);
  define(error, "stack", stack);
  if (cause !== undefined) define(error, "cause", decode(cause));
  for (const [key, value] of Object.entries(properties)) {
    Object.defineProperty(error, key, { value, configurable: true, enumerable: true, writable: true });
  }
  return error;
}

/** As Error's own fields are: not enumerable. */
function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, enumerable: false, writable: true });
}
