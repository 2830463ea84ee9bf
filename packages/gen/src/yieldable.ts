// What one can wait for, and what comes of it, in types.

/** What a coroutine may yield: a promise, arrays and plain records of such, or nothing for one turn of the loop. */
export type Yieldable =
  | PromiseLike<unknown>
  | readonly Yieldable[]
  | { readonly [key: string]: Yieldable }
  | undefined;

/** What waiting for a {@link Yieldable} gives: tuples stay tuples, records stay records. */
export type Yielded<T> =
  T extends PromiseLike<infer V>
    ? Awaited<V>
    : T extends readonly unknown[]
      ? { -readonly [K in keyof T]: Yielded<T[K]> }
      : T extends object
        ? { -readonly [K in keyof T]: Yielded<T[K]> }
        : undefined;
