// Patterns as regular expressions, as in Tornado: anchored at both ends, groups all positional or all named.
//
// A RegExp of the user's runs on what a client sent. Its time is its author's responsibility: nested repetition such as
// /(a+)+/ can be made to backtrack without end. Patterns in strings cannot.

import type { RawArgs } from "./pattern.js";

/** A regular expression made ready for matching whole paths. */
export interface AnchoredRegExp {
  readonly expression: RegExp;
  /** Names of the groups in order, or `undefined` when they are positional. */
  readonly names: readonly string[] | undefined;
  /** How many groups it has. */
  readonly arity: number;
}

/**
 * Anchors an expression at both ends and counts its groups. The flags `g`, `y` and `m` are dropped: they would make a
 * match depend on the one before, or on a line.
 *
 * @throws TypeError when some groups have a name and some have none
 */
export function anchor(pattern: RegExp): AnchoredRegExp {
  const flags = pattern.flags.replace(/[gymd]/g, "");
  // An empty alternative matches everything, so that the result tells what groups there are.
  const groups = new RegExp(`(?:${pattern.source})|`, flags).exec("") as RegExpExecArray;
  const arity = groups.length - 1;
  const names = groups.groups === undefined ? undefined : Object.keys(groups.groups);
  if (names !== undefined && names.length !== arity) {
    throw new TypeError(`Pattern ${pattern} mixes named and positional groups`);
  }
  return { expression: new RegExp(`^(?:${pattern.source})$`, flags), names, arity };
}

/** Matches an encoded path; gives the text of each group, `undefined` for one that took no part. */
export function matchRegExp(pattern: AnchoredRegExp, path: string): RawArgs | undefined {
  return pattern.expression.exec(path)?.slice(1) as RawArgs | undefined;
}
