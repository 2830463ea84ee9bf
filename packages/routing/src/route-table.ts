// A table of patterns. The first row that matches wins, as it stands in the table, whatever its kind.
//
//   path ──► statics: Map ──hit──► row
//              │ miss
//              └──► rows whose first segment is the path's, and those that begin with a parameter, in table order
//
// The map holds a static pattern only if no earlier row matches that very path: the winner for a fixed path is known
// when the table is made, so that a hit needs no second look.

import { decodeArgs } from "./decode.js";
import { matchSegments, type ParsedPattern, parsePattern, type RawArgs } from "./pattern.js";
import { type AnchoredRegExp, anchor, matchRegExp } from "./regexp-pattern.js";

/** A row: what to match and what to give when it does. */
export interface RouteRow<T> {
  /** A pattern of this package's language, or a regular expression for the whole path. */
  readonly pattern: string | RegExp;
  readonly target: T;
}

/** A row that matched. */
export interface RouteMatch<T> {
  readonly target: T;
  /** Parameters in order, percent-decoded; `undefined` for an optional one that is absent. Empty when malformed. */
  readonly args: readonly (string | undefined)[];
  /** Names for `args`, or `undefined` when the groups of a RegExp have none. */
  readonly names: readonly string[] | undefined;
  /** The row matches, but a parameter is not UTF-8 once decoded: answer 400. */
  readonly malformed: boolean;
}

/**
 * Finds the first row whose pattern matches a path.
 *
 * @example
 * const table = new RouteTable([
 *   { pattern: "/", target: "home" },
 *   { pattern: "/story/:id{[0-9]+}", target: "story" },
 * ]);
 * table.match("/story/7"); // { target: "story", args: ["7"], names: ["id"], malformed: false }
 */
export class RouteTable<T> {
  readonly #statics = new Map<string, RouteMatch<T>>();
  readonly #bySegment = new Map<string, Row<T>[]>();
  readonly #anySegment: Row<T>[] = [];

  /** @throws TypeError for a pattern that cannot be one */
  constructor(rows: readonly RouteRow<T>[]) {
    for (const row of rows) this.#add(compile(row));
  }

  /** The first row that matches `path`, which is encoded and has no query: `%2F` in it is never a slash. */
  match(path: string): RouteMatch<T> | undefined {
    return this.#statics.get(path) ?? this.#matchDynamic(path);
  }

  #matchDynamic(path: string): RouteMatch<T> | undefined {
    const rows =
      this.#bySegment.size === 0
        ? this.#anySegment
        : (this.#bySegment.get(firstSegment(path)) ?? this.#anySegment);
    for (const row of rows) {
      const raw = row.match(path);
      if (raw === undefined) continue;
      const args = decodeArgs(raw);
      return { target: row.target, args: args ?? [], names: row.names, malformed: args === undefined };
    }
    return undefined;
  }

  #add(row: Row<T>): void {
    const { path, head } = row;
    if (path !== undefined) {
      if (this.match(path) === undefined) {
        this.#statics.set(path, { target: row.target, args: [], names: [], malformed: false });
      }
    } else if (head === undefined) {
      this.#anySegment.push(row);
      for (const list of this.#bySegment.values()) list.push(row);
    } else {
      const list = this.#bySegment.get(head);
      if (list === undefined) this.#bySegment.set(head, [...this.#anySegment, row]);
      else list.push(row);
    }
  }
}

interface Row<T> {
  readonly target: T;
  readonly names: readonly string[] | undefined;
  /** The one path that matches, of a pattern without parameters. */
  readonly path: string | undefined;
  /** The first segment, where every path that matches has that one. */
  readonly head: string | undefined;
  match(path: string): RawArgs | undefined;
}

function compile<T>({ pattern, target }: RouteRow<T>): Row<T> {
  if (pattern instanceof RegExp) return regExpRow(anchor(pattern), target);
  return segmentRow(parsePattern(pattern), target);
}

function regExpRow<T>(anchored: AnchoredRegExp, target: T): Row<T> {
  const match = (path: string): RawArgs | undefined => matchRegExp(anchored, path);
  return { target, names: anchored.names, path: undefined, head: undefined, match };
}

function segmentRow<T>({ segments, names }: ParsedPattern, target: T): Row<T> {
  const literals = segments.map((segment) => (segment.kind === "literal" ? segment.text : undefined));
  const path = literals.includes(undefined) ? undefined : `/${literals.join("/")}`;
  return { target, names, path, head: literals[0], match: (at) => matchSegments(segments, at) };
}

function firstSegment(path: string): string {
  const slash = path.indexOf("/", 1);
  return slash === -1 ? path.slice(1) : path.slice(1, slash);
}
