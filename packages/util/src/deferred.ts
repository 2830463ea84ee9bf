// A promise with its two ends in one object (`Promise.withResolvers` needs Node 22).

/** A promise that somebody else settles. */
export class Deferred<T = void> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T | PromiseLike<T>) => void;
  readonly reject: (reason: unknown) => void;

  constructor() {
    let resolveIt!: (value: T | PromiseLike<T>) => void;
    let rejectIt!: (reason: unknown) => void;
    this.promise = new Promise<T>((resolve, reject) => {
      resolveIt = resolve;
      rejectIt = reject;
    });
    this.resolve = resolveIt;
    this.reject = rejectIt;
  }
}
