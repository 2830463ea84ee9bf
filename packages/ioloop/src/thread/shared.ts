// What both ends of a handle agree on: three numbers in shared memory, and the shape of a message.

/** Callbacks that were sent and have not run. The sender adds, the loop subtracts. */
export const PENDING = 0;
/** 1 when either end has closed. */
export const CLOSED = 1;
/** 1 when a thread has opened the handle. */
export const OPENED = 2;
/** Numbers in all. */
export const SHARED_LENGTH = 3;

/** Which callback, by its place in `names`, and with what. */
export type ThreadMessage = readonly [name: number, args: readonly unknown[]];

/** Callbacks by the names under which other threads may schedule them. */
export type ThreadCallbacks = Readonly<Record<string, (...args: never) => unknown>>;

/** What such a callback takes; it arrives as a structured clone. */
export type ThreadArgs<F> = F extends (...args: infer A) => unknown ? A : never;
