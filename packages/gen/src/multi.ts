// Waiting for several at once (Tornado's gen.multi).

import { convertYielded, type MultiOptions } from "./convert-yielded.js";
import type { Yieldable, Yielded } from "./yieldable.js";

/**
 * Waits for all children, of an array or of a plain record, and resolves with their results in the same shape.
 *
 * Unlike `Promise.all` it is not done before the last child is: nothing goes on behind the caller's back. When children
 * fail it rejects with the first failure in order, not in time; the others are logged unless `quietErrors` says
 * otherwise. Children may be containers again. The same promise may stand there twice. An abort rejects at once and
 * stops no child.
 *
 * @throws TypeError when `children` is no container; BadYieldError `ERR_TW_BAD_YIELD` when a child is no promise
 * @example
 * const [user, posts] = await multi([loadUser(id), loadPosts(id)]);
 * const { head, body } = await multi({ head: readHead(), body: readBody() });
 */
export function multi<const T extends readonly Yieldable[] | { readonly [key: string]: Yieldable }>(
  children: T,
  options: MultiOptions = {},
): Promise<Yielded<T>> {
  if (typeof children !== "object" || children === null || "then" in children) {
    throw new TypeError("multi() takes an array or a record of promises");
  }
  return convertYielded(children, options);
}
