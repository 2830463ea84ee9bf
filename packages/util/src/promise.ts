// Promises, where they are needed: one per call is what makes stacks slow.

/** Tells whether a callback returned something to wait for. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}

/** A promise that is rejected already and counts as observed: one may ignore it, and nobody's process ends. */
export function rejected(reason: unknown): Promise<never> {
  const promise = Promise.reject(reason);
  promise.catch(ignore);
  return promise;
}

function ignore(): void {}
