// Awaiting only where there is something to wait for: a promise per call is what makes stacks slow.

/** Tells whether a callback returned something to wait for. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}
