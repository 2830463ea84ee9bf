// The base of every error this stack throws. Codes are stable and unique in the repository; messages may change.

/**
 * An error with a stable `code`.
 *
 * Recognise errors by `code`, or with {@link isTwError}: two copies of a package may meet in one process, and
 * `instanceof` then tells them apart although they mean the same.
 *
 * @example
 * try { await stream.readBytes(4); } catch (error) {
 *   if (isTwError(error, "ERR_TW_STREAM_CLOSED")) console.log(error.cause);
 * }
 */
export class TwError extends Error {
  /** Stable identifier such as `ERR_TW_STREAM_CLOSED`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    Object.defineProperty(this, brand, { value: true });
  }

  /** The name of its class. A getter, so that the first line of `stack` has it; assigning replaces it, as on any `Error`. */
  override get name(): string {
    return this.constructor.name;
  }

  override set name(value: string) {
    Object.defineProperty(this, "name", { value, configurable: true, writable: true });
  }
}

/** Tells whether `value` is an error of this stack, of any copy of it, and optionally whether it has that code. */
export function isTwError(value: unknown, code?: string): value is TwError {
  if (typeof value !== "object" || value === null || !(brand in value)) return false;
  return code === undefined || (value as unknown as TwError).code === code;
}

/** Throws when one of our own assumptions is broken. Never call it on input from the network. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new TwError("ERR_TW_INVARIANT", `Internal error, please report it: ${message}`);
}

const brand: unique symbol = Symbol.for("@tw/util.TwError") as never;
