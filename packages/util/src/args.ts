// Checks of arguments, shared because every layer takes sizes, durations and callbacks. Each throws synchronously,
// before the caller has changed any state, and quotes what it was given.

/** Throws `TypeError` unless `value` is a function. */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== "function") throw new TypeError(`${name} must be a function, got ${describe(value)}`);
}

/** Throws `TypeError` unless `signal` is left out or an `AbortSignal`, of any realm. */
export function checkSignal(signal: unknown): void {
  if (signal === undefined) return;
  const { addEventListener, aborted } = (signal ?? {}) as { addEventListener?: unknown; aborted?: unknown };
  if (typeof addEventListener === "function" && typeof aborted === "boolean") return;
  throw new TypeError(`signal must be an AbortSignal, got ${describe(signal)}`);
}

/**
 * Throws unless `value` is a duration: a finite number of milliseconds, not negative.
 *
 * @throws TypeError on anything but a number; RangeError on `NaN`, an infinite or a negative number
 */
export function checkDurationMs(name: string, value: unknown): void {
  if (typeof value !== "number")
    throw new TypeError(`${name} must be a number of ms, got ${describe(value)}`);
  if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`${name} must be a finite number of ms from 0 on, got ${value}`);
  }
}

/**
 * Throws unless `value` is an integer in `[min, max]`.
 *
 * @throws TypeError on anything but a number; RangeError on a fraction, `NaN`, or a number outside the range
 */
export function checkInteger(
  name: string,
  value: unknown,
  min = 0,
  max: number = Number.MAX_SAFE_INTEGER,
): void {
  if (typeof value !== "number") throw new TypeError(`${name} must be an integer, got ${describe(value)}`);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be an integer from ${min} to ${max}, got ${value}`);
  }
}

function describe(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "string" ? JSON.stringify(value.slice(0, 64)) : typeof value;
}
