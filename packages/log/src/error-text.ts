// Errors with all that explains them: stack, code, causes, and the errors of an `AggregateError`.
//
//   Error: Cannot save order 17 [ERR_SHOP_SAVE]
//       at save (orders.ts:10:9)
//   Caused by: Error: connect ECONNREFUSED 127.0.0.1:5432
//       at …

import { type Budget, said } from "./budget.js";

/** How many `cause`s of an error are written, and how many errors of an `AggregateError`. */
export const MAX_CAUSES = 8;

/** The text of an error for people. Anything may have been thrown: what is no error is said by `show`. Never throws. */
export function describeError(error: unknown, budget: Budget, show: (value: unknown) => string): string {
  const seen = new Set<unknown>();

  function explain(error: unknown): string {
    if (!isError(error)) return show(error);
    if (seen.has(error)) return "[circular]";
    seen.add(error);
    let text = budget.text(withCode(error));
    const errors = peek(error, "errors");
    if (Array.isArray(errors)) {
      for (const [at, each] of errors.slice(0, MAX_CAUSES).entries()) {
        text += `\n${at + 1} of ${errors.length}: ${explain(each)}`;
      }
    }
    const cause = peek(error, "cause");
    if (cause === undefined || seen.size > MAX_CAUSES || budget.spent) return text;
    return `${text}\nCaused by: ${explain(cause)}`;
  }
  return explain(error);
}

/** A property of an error, or `undefined` where reading it throws. */
export function peek(error: object, key: string): unknown {
  try {
    return (error as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

/** Whether it is an error, of another realm too; asking may throw on a proxy. */
export function isError(value: unknown): value is Error {
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === "[object Error]";
  } catch {
    return false;
  }
}

/** The stack, with the code behind its first line unless it is said there already. */
function withCode(error: Error): string {
  const stack = said(() => error.stack || String(error));
  const code = peek(error, "code");
  if (typeof code !== "string") return stack;
  const end = stack.indexOf("\n");
  const first = end < 0 ? stack : stack.slice(0, end);
  return first.includes(code) ? stack : `${first} [${code}]${stack.slice(first.length)}`;
}
