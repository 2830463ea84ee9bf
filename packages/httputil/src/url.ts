// Queries of URLs.

import { urlEscape } from "@tw/escape";

/** Names and values for {@link urlConcat}; a value of `null` or `undefined` leaves its name out. */
export type QueryArguments =
  | Iterable<readonly [name: string, value: string | number]>
  | Readonly<Record<string, string | number | null | undefined>>;

/**
 * Adds arguments to the query of `url`. What the query holds stays as it is written, and a fragment stays last.
 *
 * @throws URIError for a lone surrogate, which has no UTF-8
 * @example
 * urlConcat("http://x/a?c=d#top", { e: "f g" }); // "http://x/a?c=d&e=f+g#top"
 */
export function urlConcat(url: string, args: QueryArguments | null | undefined): string {
  if (args === null || args === undefined) return url;
  const pairs = Symbol.iterator in args ? args : Object.entries(args);
  const query: string[] = [];
  for (const [name, value] of pairs) {
    if (value !== null && value !== undefined) query.push(`${urlEscape(name)}=${urlEscape(String(value))}`);
  }
  if (query.length === 0) return url;
  const hash = url.indexOf("#");
  const base = hash === -1 ? url : url.slice(0, hash);
  const fragment = hash === -1 ? "" : url.slice(hash);
  return base + separator(base) + query.join("&") + fragment;
}

/**
 * Makes pairs of lists by name, in order: what `parseQs` gives, as `urlConcat` takes it.
 *
 * @example
 * urlConcat("/b", qsToQsl(parseQs("a=1&a=2"))); // "/b?a=1&a=2"
 */
export function* qsToQsl<T>(
  lists: Iterable<readonly [string, readonly T[]]>,
): Generator<[name: string, value: T]> {
  for (const [name, values] of lists) for (const value of values) yield [name, value];
}

function separator(base: string): string {
  if (!base.includes("?")) return "?";
  return base.endsWith("?") || base.endsWith("&") ? "" : "&";
}
