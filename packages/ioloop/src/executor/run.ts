// One task on its way: what to run, and who waits for it.

import type { Transferable } from "node:worker_threads";
import { Deferred, offAbort, onAbort } from "@tw/util";
import type { Task } from "./task.js";
import type { Order } from "./wire.js";

/** Settles once; then nothing of it stays on the signal. */
export class Run {
  readonly order: Order;
  readonly transfer: readonly Transferable[];
  readonly #result = new Deferred<unknown>();
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;

  /** `aborted` is called at most once, while the run is not settled. */
  constructor(task: Task, order: Order, aborted: (run: Run, reason: unknown) => void) {
    const { signal } = task;
    this.order = order;
    this.transfer = task.transfer ?? [];
    this.#signal = signal;
    this.#onAbort = () => aborted(this, signal?.reason);
    if (signal !== undefined) onAbort(signal, this.#onAbort);
  }

  get promise(): Promise<unknown> {
    return this.#result.promise;
  }

  resolve(value: unknown): void {
    this.#forget();
    this.#result.resolve(value);
  }

  reject(reason: unknown): void {
    this.#forget();
    this.#result.reject(reason);
  }

  #forget(): void {
    if (this.#signal !== undefined) offAbort(this.#signal, this.#onAbort);
  }
}
