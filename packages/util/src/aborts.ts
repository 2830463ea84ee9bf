// One listener per signal, however many wait for it. A signal of a whole server is waited for by thousands at a time:
// Node warns from the eleventh listener on, and walks through all of them to add one or take one off.

/** What of an `AbortSignal` is needed here. */
export interface AbortSource {
  addEventListener(type: "abort", listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** Who waits for a signal. Kept with it: who waits again and again, read after read, makes no other. */
interface Fan {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

const fans = new WeakMap<AbortSource, Fan>();

const ONCE = { once: true };

/**
 * Calls `callback` when `signal` aborts, which it has not yet; a callback must not throw. Whoever no longer waits says so with
 * {@link offAbort}.
 */
export function onAbort(signal: AbortSource, callback: () => void): void {
  let fan = fans.get(signal);
  if (fan === undefined) {
    fan = makeFan();
    fans.set(signal, fan);
  }
  if (fan.callbacks.size === 0) signal.addEventListener("abort", fan.listener, ONCE);
  fan.callbacks.add(callback);
}

/** Takes a callback off again; the last one takes the listener along. Harmless when it is not there. */
export function offAbort(signal: AbortSource, callback: () => void): void {
  const fan = fans.get(signal);
  if (fan === undefined || !fan.callbacks.delete(callback)) return;
  if (fan.callbacks.size === 0) signal.removeEventListener("abort", fan.listener);
}

function makeFan(): Fan {
  const callbacks = new Set<() => void>();
  const listener = (): void => {
    try {
      // Who is taken off by one that is called before it is not called: a Set does not visit what has gone.
      for (const each of callbacks) each();
    } finally {
      callbacks.clear();
    }
  };
  return { callbacks, listener };
}
