// Which executor a loop uses when it is given none.

import type { Logger } from "@tw/util";
import { checkExecutor, type Executor } from "./executor.js";
import type { Task } from "./task.js";
import { ThreadPoolExecutor } from "./thread-pool-executor.js";

/** The one that was set, else a pool of its own, made on first use. */
export class DefaultExecutor {
  readonly #loop: { readonly logger: Logger };
  #given: Executor | undefined;
  #own: ThreadPoolExecutor | undefined;
  /** Pools of its own that finish what they have. */
  readonly #finishing = new Set<ThreadPoolExecutor>();

  constructor(loop: { readonly logger: Logger }) {
    this.#loop = loop;
  }

  /** @throws TypeError when `executor` is none; a pool of its own finishes what it has, and ends */
  set(executor: Executor): void {
    checkExecutor(executor);
    this.#given = executor;
    const own = this.#own;
    if (own === undefined) return;
    this.#own = undefined;
    this.#finishing.add(own);
    void own.close().then(() => this.#finishing.delete(own));
  }

  run(executor: Executor | undefined, task: Task, args: readonly unknown[]): Promise<unknown> {
    if (executor !== undefined) checkExecutor(executor);
    const { logger } = this.#loop;
    if (executor === undefined && this.#given === undefined) this.#own ??= new ThreadPoolExecutor({ logger });
    return (executor ?? this.#given ?? (this.#own as ThreadPoolExecutor)).run(task, args);
  }

  /** Gives up what pools of its own have, and resolves when the threads are gone. One that was set is for its owner to close. */
  async close(): Promise<void> {
    const pools = [...this.#finishing];
    if (this.#own !== undefined) pools.push(this.#own);
    for (const pool of pools) pool.abort();
    await Promise.all(pools.map((pool) => pool.close()));
  }
}
