// One task on its way: what to run, and who waits for it.

import type { Transferable } from "node:worker_threads";
import { Deferred } from "@tw/util";
import type { Task } from "./task.js";
import type { Order } from "./wire.js";

/** Settles once; then nothing of it stays on the signal. */
export class Run {
  readonly order: Order;
  readonly transfer: readonly Transferable[];
  readonly #result = new Deferred<unknown>();
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;

  /** `onAbort` is called at most once, while the run is not settled. */
  constructor(task: Task, order: Order, onAbort: (run: Run, reason: unknown) => void) {
    const { signal } = task;
    this.order = order;
    this.transfer = task.transfer ?? [];
    this.#signal = signal;
    this.#onAbort = () => onAbort(this, signal?.reason);
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  get promise(): Promise<unknown> {
    return this.#result.promise;
  }

  resolve(value: unknown): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#result.resolve(value);
  }

  reject(reason: unknown): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#result.reject(reason);
  }
}
