// Entity tags, RFC 9110 §8.8.3: names of versions of a resource. A strong one, `"a"`, means byte for byte the same;
// a weak one, `W/"a"`, means good enough.

import { skipBlanks } from "./scan.js";

/** A version's name. */
export interface EntityTag {
  readonly weak: boolean;
  /** What stands between the quotes. */
  readonly tag: string;
}

/**
 * Reads one entity tag; `undefined` for anything else, missing quotes and `w/` included.
 *
 * @example
 * parseETag('W/"1"'); // { weak: true, tag: "1" }
 */
export function parseETag(text: string): EntityTag | undefined {
  const end = tagEnd(text, 0);
  return end === text.length ? tagAt(text, 0, end) : undefined;
}

/**
 * Reads If-Match or If-None-Match: a list of tags, or `*` for any version. `undefined` when it is neither, an unquoted tag
 * among quoted ones included. Linear time; a comma between the quotes belongs to the tag.
 *
 * @example
 * parseETagList('"a", W/"b"'); // [{ weak: false, tag: "a" }, { weak: true, tag: "b" }]
 */
export function parseETagList(text: string): EntityTag[] | "*" | undefined {
  if (/^[ \t]*\*/.test(text) && skipBlanks(text, text.indexOf("*") + 1) === text.length) return "*";
  const tags: EntityTag[] = [];
  for (let at = 0; ; at++) {
    at = skipBlanks(text, at);
    if (at < text.length && text[at] !== ",") {
      const end = tagEnd(text, at);
      if (end === -1) return undefined;
      tags.push(tagAt(text, at, end));
      at = skipBlanks(text, end);
    }
    if (at >= text.length) return tags;
    if (text[at] !== ",") return undefined;
  }
}

/** Strong comparison, RFC 9110 §8.8.3.2: the same name, and neither is weak. For ranges, and before changing something. */
export function sameStrongly(a: EntityTag, b: EntityTag): boolean {
  return !a.weak && !b.weak && a.tag === b.tag;
}

/** Weak comparison, RFC 9110 §8.8.3.2: the same name. For what a cache may go on showing. */
export function sameWeakly(a: EntityTag, b: EntityTag): boolean {
  return a.tag === b.tag;
}

/** Index after the tag that begins at `at`, or −1. */
function tagEnd(text: string, at: number): number {
  const open = text.startsWith("W/", at) ? at + 2 : at;
  if (text[open] !== '"') return -1;
  for (let i = open + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) return i + 1;
    // etagc, RFC 9110 §8.8.3. There are no escapes: a backslash is a character.
    if (c < 0x21 || c === 0x7f || c > 0xff) return -1;
  }
  return -1;
}

function tagAt(text: string, start: number, end: number): EntityTag {
  const weak = text[start] === "W";
  return { weak, tag: text.slice(weak ? start + 3 : start + 1, end - 1) };
}
