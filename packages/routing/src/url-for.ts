// Patterns turned round: a path out of a pattern and its parameters.

import { urlEscape } from "@tw/escape";
import type { PathParams, UrlParams } from "./path-types.js";
import { type ParsedPattern, parsePattern, type Segment } from "./pattern.js";
import { reverseRegExp } from "./reverse-regexp.js";

/** What `urlFor` takes behind its pattern: nothing where the pattern has no parameters. */
export type UrlForArgs<P extends string> = keyof PathParams<P> extends never
  ? []
  : Record<never, never> extends PathParams<P>
    ? [params?: UrlParams<P>]
    : [params: UrlParams<P>];

/**
 * Builds the path that `pattern` matches with these parameters, each escaped: a slash in `:id` becomes `%2F`, in
 * `*rest` it stays. What it builds matches the pattern and gives the same parameters back.
 *
 * @throws TypeError when a parameter is missing or the pattern has none of that name
 * @throws RangeError when a value cannot stand in a path: empty, `.` or `..` (clients would resolve them away), outside
 * its constraint, or the start of `//host`
 * @example
 * urlFor("/story/:id", { id: "a b/c" }); // "/story/a%20b%2Fc"
 */
export function urlFor<const P extends string>(pattern: P, ...[params]: UrlForArgs<P>): string {
  const parsed = parsedOnce(pattern);
  const given: Readonly<Record<string, string | number | undefined>> = params ?? {};
  for (const name of Object.keys(given)) {
    if (!parsed.names.includes(name))
      throw new TypeError(`Pattern ${JSON.stringify(pattern)} has no parameter ${name}`);
  }
  return build(parsed, (name) => (Object.hasOwn(given, name) ? given[name] : undefined));
}

/**
 * Builds a path out of positional arguments, as Tornado's `reverse_url` does.
 *
 * @throws TypeError for a wrong number of arguments, or a RegExp that cannot be turned round
 * @throws RangeError as {@link urlFor} does
 * @example
 * reversePath(/\/a\/(\d+)\/b\/([^/]*)/, 1, "x y"); // "/a/1/b/x%20y"
 */
export function reversePath(pattern: string | RegExp, ...args: readonly (string | number)[]): string {
  if (pattern instanceof RegExp) return reverseRegExp(pattern, args);
  const parsed = parsedOnce(pattern);
  if (args.length > parsed.names.length) {
    throw new TypeError(
      `Pattern ${JSON.stringify(pattern)} takes ${parsed.names.length} arguments, got ${args.length}`,
    );
  }
  return build(parsed, (name) => args[parsed.names.indexOf(name)]);
}

function build(
  { source, segments }: ParsedPattern,
  lookUp: (name: string) => string | number | undefined,
): string {
  let path = "";
  let skipped: string | undefined;
  for (const segment of segments) {
    if (segment.kind === "literal") {
      path += `/${segment.text}`;
      continue;
    }
    const value = segment.name === "" ? "" : lookUp(segment.name);
    if (value === undefined) {
      if (segment.kind === "rest" || !segment.optional) {
        throw new TypeError(`Pattern ${JSON.stringify(source)} needs a value for ${segment.name}`);
      }
      skipped ??= segment.name;
      continue;
    }
    if (skipped !== undefined)
      throw new TypeError(`${segment.name} is given, but ${skipped} before it is not`);
    path += `/${escapeValue(segment, String(value))}`;
  }
  // `//host/x` is another site's URL to a browser.
  if (path.startsWith("//"))
    throw new RangeError(`Pattern ${JSON.stringify(source)} would give ${JSON.stringify(path)}`);
  return path === "" ? "/" : path;
}

function escapeValue(segment: Exclude<Segment, { kind: "literal" }>, value: string): string {
  const rest = segment.kind === "rest";
  if (!rest && value === "") throw new RangeError(`${segment.name} is empty`);
  if ((rest ? value.split("/") : [value]).some((part) => part === "." || part === "..")) {
    throw new RangeError(`${segment.name} has a dot segment: ${JSON.stringify(value)}`);
  }
  const escaped = urlEscape(value, { plus: false });
  if (rest) return escaped;
  const text = escaped.replaceAll("/", "%2F");
  if (segment.only !== undefined && !segment.only.test(text)) {
    throw new RangeError(`${segment.name} does not fit ${segment.only.source}: ${JSON.stringify(value)}`);
  }
  return text;
}

/** Patterns come from programs: a bound all the same, for a program that makes them up. */
const CACHE_SIZE = 1000;
const cache = new Map<string, ParsedPattern>();

function parsedOnce(pattern: string): ParsedPattern {
  const known = cache.get(pattern);
  if (known !== undefined) return known;
  const parsed = parsePattern(pattern);
  if (cache.size < CACHE_SIZE) cache.set(pattern, parsed);
  return parsed;
}
