// One listener per signal, however many wait for it. A signal of a whole server is waited for by thousands at a time:
// Node warns from the eleventh listener on, and walks through all of them to add one or take one off.

/** The part of an `AbortSignal` that matters here: a pure package knows no other. */
export interface Abortable {
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

interface Fan {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

/** Goes with its signal. It listens while it has callbacks. */
const fans = new WeakMap<Abortable, Fan>();

/**
 * Calls `callback` when `signal` aborts, which it has not done yet. Whoever no longer waits says so with {@link offAbort}.
 *
 * @example
 * onAbort(signal, giveUp);
 * result.finally(() => offAbort(signal, giveUp));
 */
export function onAbort(signal: Abortable, callback: () => void): void {
  let fan = fans.get(signal);
  if (fan === undefined) {
    fan = makeFan(signal);
    fans.set(signal, fan);
  }
  if (fan.callbacks.size === 0) signal.addEventListener("abort", fan.listener);
  fan.callbacks.add(callback);
}

/** Takes a callback off again; the last one takes the listener along. Harmless when it is not there. */
export function offAbort(signal: Abortable, callback: () => void): void {
  const fan = fans.get(signal);
  if (fan?.callbacks.delete(callback) && fan.callbacks.size === 0)
    signal.removeEventListener("abort", fan.listener);
}

function makeFan(signal: Abortable): Fan {
  const callbacks = new Set<() => void>();
  const listener = (): void => {
    signal.removeEventListener("abort", listener);
    let failed: { readonly error: unknown } | undefined;
    for (const each of [...callbacks]) {
      // One of them may take others off, which are not called then; one that throws keeps none of them from hearing of it.
      if (!callbacks.delete(each)) continue;
      try {
        each();
      } catch (error) {
        failed ??= { error };
      }
    }
    if (failed !== undefined) throw failed.error;
  };
  return { callbacks, listener };
}
