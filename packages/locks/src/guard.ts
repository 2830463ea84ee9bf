// What `acquire()` resolves with: the right and the duty to release once.

/**
 * One permit. Disposing it, or calling {@link release}, gives the permit back; the second time does nothing.
 *
 * @example
 * await using guard = await lock.acquire();
 */
export class Guard implements Disposable, AsyncDisposable {
  #release: (() => void) | undefined;

  /** Guards are made by `acquire()`. */
  constructor(release: () => void) {
    this.#release = release;
  }

  /** Whether the permit is still held by this guard. */
  get held(): boolean {
    return this.#release !== undefined;
  }

  /** Gives the permit back, once. */
  release(): void {
    const release = this.#release;
    this.#release = undefined;
    release?.();
  }

  [Symbol.dispose](): void {
    this.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }
}

/** Runs `fn` while holding what is being acquired, and gives it back whatever `fn` did. */
export async function holding<T>(
  acquiring: Promise<Guard>,
  fn: () => T | PromiseLike<T>,
): Promise<Awaited<T>> {
  const guard = await acquiring;
  try {
    return await fn();
  } finally {
    guard.release();
  }
}
