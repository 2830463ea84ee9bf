// The errors of waiting. Recognise them by `code`.

import { TwError } from "@tw/util";

/** `ERR_TW_TIMEOUT`: what was waited for did not come in time. */
export class TimeoutError extends TwError {
  /** The milliseconds that had been granted. */
  readonly timeoutMs: number;

  /** `what` completes the sentence "Timed out after 100 ms …": `"in Lock.acquire()"`. */
  constructor(timeoutMs: number, what = "waiting") {
    super("ERR_TW_TIMEOUT", `Timed out after ${timeoutMs} ms ${what}`);
    this.timeoutMs = timeoutMs;
  }
}

/** A function that throws the {@link TimeoutError} of a wait with these options: what `Waiters.wait` takes. */
export function timeOut(options: { readonly timeoutMs?: number | undefined }, what: string): () => never {
  return () => {
    throw new TimeoutError(options.timeoutMs ?? 0, what);
  };
}

/** `ERR_TW_BAD_YIELD`: a coroutine yielded, or `multi` was given, what nobody can wait for. */
export class BadYieldError extends TwError {
  /** `what` is said of `value` where its kind does not say what is wrong with it. */
  constructor(value: unknown, what: string = describe(value)) {
    super("ERR_TW_BAD_YIELD", `Cannot wait for ${what}: ${ACCEPTED}`);
  }
}

const ACCEPTED =
  "it must be a promise, undefined, or an array or plain record of such (wrap a value in Promise.resolve)";

function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 64));
  if (typeof value === "function") return "a function (was it to be called?)";
  if (typeof value === "object" && value !== null) {
    return `an object of class ${String(value.constructor?.name ?? "unknown")}`;
  }
  return String(value);
}
