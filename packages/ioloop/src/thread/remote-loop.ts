// The other thread's end of a handle.

import { MessagePort } from "node:worker_threads";
import { LoopHandleError } from "./errors.js";
import type { SentLoopHandle } from "./loop-handle.js";
import {
  CLOSED,
  OPENED,
  PENDING,
  SHARED_LENGTH,
  type ThreadArgs,
  type ThreadCallbacks,
  type ThreadMessage,
} from "./shared.js";

/**
 * Opens what `loop.threadHandle()` made, in the thread it was sent to. Once: a second thread needs a handle of its own.
 *
 * @throws TypeError on anything else; LoopHandleError `ERR_TW_HANDLE_USED`, `ERR_TW_HANDLE_CLOSED`
 * @example
 * const loop = openLoopHandle<typeof callbacks>(workerData.loop);
 * loop.addCallbackFromThread("progress", 0.5);
 */
export function openLoopHandle<C extends ThreadCallbacks>(handle: SentLoopHandle<C>): RemoteLoop<C> {
  if (!isHandle(handle)) {
    throw new TypeError(
      "openLoopHandle() takes what loop.threadHandle() made, sent by postMessage or workerData with its port in the " +
        "transfer list. An IOLoop itself stays in its thread",
    );
  }
  if (Atomics.exchange(handle.shared, OPENED, 1) === 1) {
    throw new LoopHandleError(
      "ERR_TW_HANDLE_USED",
      "This handle has been opened already: keep what openLoopHandle() returned, or make a handle for each thread",
    );
  }
  if (Atomics.load(handle.shared, CLOSED) === 1) throw closedError();
  return new RemoteLoop(handle);
}

/** Another thread's loop, as far as it can be used from here. It does not keep this thread alive. */
export class RemoteLoop<C extends ThreadCallbacks> implements AsyncDisposable {
  readonly #handle: SentLoopHandle<C>;
  readonly #indices: ReadonlyMap<string, number>;

  /** Use {@link openLoopHandle}. */
  constructor(handle: SentLoopHandle<C>) {
    this.#handle = handle;
    this.#indices = new Map(handle.names.map((name, index) => [name, index]));
    // The thread of the loop may end without closing anything.
    handle.port.on("close", () => this.close());
    handle.port.unref();
  }

  /** Whether nothing can be sent any more. */
  get closed(): boolean {
    return Atomics.load(this.#handle.shared, CLOSED) === 1;
  }

  /**
   * Schedules the callback `name` on the loop that made the handle, with structured clones of `args`, and wakes it.
   * Callbacks of one thread run in the order they were sent, each in a turn of the loop; what they return or throw
   * stays there. Returns at once.
   *
   * @throws LoopHandleError `ERR_TW_CALLBACK_UNKNOWN`, `ERR_TW_HANDLE_CLOSED`, `ERR_TW_HANDLE_FULL`
   * @throws DOMException `DataCloneError` when an argument cannot be cloned; nothing was sent then
   */
  addCallbackFromThread<K extends keyof C & string>(name: K, ...args: ThreadArgs<C[K]>): void {
    const { port, shared, maxPending, names } = this.#handle;
    const index = this.#indices.get(name);
    if (index === undefined) {
      const known = names.join(", ") || "none";
      throw new LoopHandleError(
        "ERR_TW_CALLBACK_UNKNOWN",
        `The handle has no callback ${JSON.stringify(name)}: it has ${known}`,
      );
    }
    if (this.closed) throw closedError();
    if (Atomics.add(shared, PENDING, 1) >= maxPending) {
      Atomics.sub(shared, PENDING, 1);
      throw new LoopHandleError(
        "ERR_TW_HANDLE_FULL",
        `Cannot schedule ${JSON.stringify(name)}: ${maxPending} callbacks wait for the loop, limit ${maxPending}`,
      );
    }
    try {
      port.postMessage([index, args] satisfies ThreadMessage);
    } catch (error) {
      Atomics.sub(shared, PENDING, 1);
      throw error;
    }
  }

  /** Sends nothing more; what was sent arrives. May be repeated. */
  close(): void {
    this.#handle.port.close();
    Atomics.store(this.#handle.shared, CLOSED, 1);
  }

  /** As {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

function isHandle(value: unknown): value is SentLoopHandle {
  const { port, names, shared, maxPending } = (value ?? {}) as Partial<SentLoopHandle>;
  return (
    port instanceof MessagePort &&
    Array.isArray(names) &&
    shared instanceof Int32Array &&
    shared.length === SHARED_LENGTH &&
    typeof maxPending === "number"
  );
}

function closedError(): LoopHandleError {
  return new LoopHandleError(
    "ERR_TW_HANDLE_CLOSED",
    "This handle is closed, or the loop behind it: nothing can be scheduled through it any more",
  );
}
