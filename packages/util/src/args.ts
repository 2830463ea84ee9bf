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
 * Throws `TypeError` unless `loop` is left out or an `IOLoop`, of any copy of its package: without this it would be found out
 * when the first timer is set, where nobody could catch it.
 */
export function checkLoop(loop: unknown): void {
  if (loop === undefined || kindOf(loop) === "IOLoop") return;
  throw new TypeError(`loop must be an IOLoop, got ${describe(loop)}`);
}

/**
 * Milliseconds that a duration may last: 31 years. The time of day counts from 1970 and is more than that, so that who takes
 * one for the other fails at once instead of never.
 */
export const MAX_DURATION_MS = 1_000_000_000_000;

/**
 * Throws unless `value` is a duration: milliseconds, not negative and not above `max`, which is {@link MAX_DURATION_MS}, as much
 * as a timer takes, unless it is for something else.
 *
 * @throws TypeError on anything but a number; RangeError on `NaN`, an infinite or a negative number, or one above `max`
 */
export function checkDurationMs(name: string, value: unknown, max: number = MAX_DURATION_MS): void {
  if (typeof value !== "number")
    throw new TypeError(`${name} must be a number of ms, got ${describe(value)}`);
  if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) {
    throw new RangeError(`${name} must be a finite number of ms from 0 on, got ${value}`);
  }
  if (value <= max) return;
  throw new RangeError(
    `${name} must be at most ${max} ms${max === MAX_DURATION_MS ? " (31 years)" : ""}, got ${value}: ` +
      "a duration is no time of day; for what never comes set none",
  );
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

/**
 * Which option somebody meant who gave something else in the place of all options, by the kind of what was given:
 * `{ number: "timeoutMs" }` for calls that elsewhere take a time there.
 */
export type MeantOptions = Readonly<
  Partial<Record<"number" | "boolean" | "array" | "AbortSignal" | "IOLoop", string>>
>;

/**
 * Throws `TypeError` unless `value` is left out or an object of options: a number, a signal or a loop in its place
 * would have none of the fields that are looked for, and so be ignored. The error says how to give what was `meant`.
 *
 * @example
 * checkOptions("options", 20, { number: "timeoutMs" });
 * // TypeError: options must be an object, got 20: give { timeoutMs: 20 }
 */
export function checkOptions(name: string, value: unknown, meant?: MeantOptions): void {
  if (value === undefined) return;
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype)
    return;
  const kind = kindOf(value);
  // An object of any other class may carry the fields.
  if (kind === "object") return;
  const isSimple = kind === "number" || kind === "boolean";
  const got = isSimple ? String(value) : kind === "other" ? describe(value) : `an ${kind}`;
  const field = kind === "other" ? undefined : meant?.[kind];
  const giveIt = isSimple ? `{ ${field}: ${got} }` : kind === "array" ? `{ ${field}: […] }` : `{ ${field} }`;
  throw new TypeError(
    `${name} must be an object, got ${got}${field === undefined ? "" : `: give ${giveIt}`}`,
  );
}

/** What could be taken for options by mistake; `object` cannot. */
function kindOf(value: unknown): keyof MeantOptions | "object" | "other" {
  if (typeof value === "number" || typeof value === "boolean") return typeof value as "number" | "boolean";
  if (typeof value !== "object" || value === null) return "other";
  if (Array.isArray(value)) return "array";
  // By what they can do: signals of other realms, and loops of other copies of their package, are meant too.
  const { addEventListener, aborted, addCallback } = value as Record<string, unknown>;
  if (typeof addEventListener === "function" && typeof aborted === "boolean") return "AbortSignal";
  return typeof addCallback === "function" ? "IOLoop" : "object";
}

function describe(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "string" ? JSON.stringify(value.slice(0, 64)) : typeof value;
}
