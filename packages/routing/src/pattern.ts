// Patterns as strings: `/story/:id`, `/story/:id{[0-9]+}/:page?`, `/static/*path`. A parameter is a whole segment, so
// that matching is one walk from slash to slash: linear, without backtracking.

import { compileConstraint } from "./constraint.js";

/** One segment of a pattern, between slashes. */
export type Segment =
  | { readonly kind: "literal"; readonly text: string }
  | {
      readonly kind: "param";
      readonly name: string;
      readonly only: RegExp | undefined;
      readonly optional: boolean;
    }
  | { readonly kind: "rest"; readonly name: string };

/** A pattern that was taken apart. */
export interface ParsedPattern {
  readonly source: string;
  readonly segments: readonly Segment[];
  /** Names of the parameters, in order. */
  readonly names: readonly string[];
}

/** Text of a path as matched, still encoded; `undefined` for an optional part that is absent. */
export type RawArgs = (string | undefined)[];

/**
 * Takes a pattern apart.
 *
 * @throws TypeError for a pattern that cannot be one, above all for a regular expression in a string
 */
export function parsePattern(source: string): ParsedPattern {
  if (typeof source !== "string")
    throw new TypeError(`A pattern is a string or a RegExp, not ${typeof source}`);
  if (source.includes("(")) {
    throw new TypeError(
      `Pattern ${JSON.stringify(source)} looks like a regular expression: pass it as a RegExp`,
    );
  }
  if (!source.startsWith("/"))
    throw new TypeError(`Pattern ${JSON.stringify(source)} does not start with "/"`);
  const texts = source.slice(1).split("/");
  const segments = texts.map((text, i) => parseSegment(text, source, i === texts.length - 1));
  const names = segments.flatMap((segment) =>
    "name" in segment && segment.name !== "" ? [segment.name] : [],
  );
  if (new Set(names).size < names.length) throw bad(source, "names a parameter twice");
  const gap = segments.findIndex((segment) => segment.kind === "param" && segment.optional);
  if (gap !== -1 && segments.slice(gap).some((segment) => segment.kind !== "param" || !segment.optional)) {
    throw bad(source, "has something after an optional parameter");
  }
  return { source, segments, names };
}

/** Matches an encoded path; gives the text of each named parameter, or `undefined` where it does not match. */
export function matchSegments(segments: readonly Segment[], path: string): RawArgs | undefined {
  const args: RawArgs = [];
  let at = 0;
  for (const segment of segments) {
    const start = at + 1;
    if (at >= path.length) {
      if (at === 0 || segment.kind !== "param" || !segment.optional) return undefined;
      args.push(undefined);
      continue;
    }
    if (path.charCodeAt(at) !== SLASH) return undefined;
    if (segment.kind === "rest") {
      if (segment.name !== "") args.push(path.slice(start));
      return args;
    }
    const slash = path.indexOf("/", start);
    const end = slash === -1 ? path.length : slash;
    if (segment.kind === "literal") {
      if (end - start !== segment.text.length || !path.startsWith(segment.text, start)) return undefined;
    } else if (end > start) {
      const text = path.slice(start, end);
      if (segment.only !== undefined && !segment.only.test(text)) return undefined;
      args.push(text);
    } else {
      // `/` is `/:id?` without its parameter; any other empty segment is no parameter.
      if (!segment.optional || path !== "/") return undefined;
      args.push(undefined);
    }
    at = end;
  }
  return at === path.length ? args : undefined;
}

const SLASH = 0x2f;
const PARAM = /^:([A-Za-z_$][\w$]*)(?:\{(.+)\})?(\?)?$/;
const REST = /^\*([A-Za-z_$][\w$]*)?$/;
/** What RFC 3986 §3.3 keeps out of a path, and what only a regular expression would put there. */
const NOT_LITERAL = /[?#[\]{}|\\^*)"<>`]/;

function parseSegment(text: string, source: string, last: boolean): Segment {
  const kind = text[0];
  if (kind === ":") {
    const [, name, constraint, optional] = PARAM.exec(text) ?? [];
    if (name === undefined || name === "__proto__")
      throw bad(source, `has a bad parameter ${JSON.stringify(text)}`);
    const only = constraint === undefined ? undefined : compileConstraint(constraint, source);
    return { kind: "param", name, only, optional: optional !== undefined };
  }
  if (kind === "*") {
    const found = REST.exec(text);
    if (found === null || found[1] === "__proto__")
      throw bad(source, `has a bad wildcard ${JSON.stringify(text)}`);
    if (!last) throw bad(source, `has something after ${JSON.stringify(text)}`);
    return { kind: "rest", name: found[1] ?? "" };
  }
  if (NOT_LITERAL.test(text)) {
    throw bad(
      source,
      `has ${JSON.stringify(text)}, which is no part of a path; pass a RegExp if it is meant as one`,
    );
  }
  return { kind: "literal", text: encodeLiteral(text) };
}

/** Paths are matched as they come, encoded: so a literal is encoded too, where its author did not. */
function encodeLiteral(text: string): string {
  return text.replace(/[^\x21-\x7e]+/g, encodeURIComponent);
}

function bad(source: string, why: string): TypeError {
  return new TypeError(`Pattern ${JSON.stringify(source)} ${why}`);
}
