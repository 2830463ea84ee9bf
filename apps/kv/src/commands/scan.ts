// SCAN: all keys, some at a time. A cursor names an iteration that this connection left open: keys that are there from
// its beginning to its end are told, once each.

import { array, bulk, NOT_INTEGER, ReplyError, SYNTAX } from "../resp/replies.js";
import type { Request } from "../resp/request-parser.js";
import { globMatches } from "../store/glob.js";
import { parseInteger } from "../store/integers.js";
import { type Client, checkPattern } from "./command.js";

/** Iterations that one connection may leave open; the oldest is forgotten. */
const MAX_OPEN = 16;

const DEFAULT_COUNT = 10;
const MAX_COUNT = 10_000;

let lastCursor = 0;

/** SCAN cursor [MATCH pattern] [COUNT n] */
export function scan({ db, scans }: Client, args: Request): string {
  const [, text = "", ...options] = args;
  const cursor = cursorOf(text);
  let pattern = "*";
  let count = DEFAULT_COUNT;
  for (let i = 0; i < options.length; i += 2) {
    const option = options[i]?.toUpperCase();
    const value = options[i + 1];
    if (value === undefined) throw new ReplyError(SYNTAX);
    if (option === "MATCH") pattern = checkPattern(db, value);
    else if (option === "COUNT") count = countOf(value);
    else throw new ReplyError(SYNTAX);
  }
  // A cursor that is not known has come to its end.
  const keys = cursor === "0" ? db.store.keys() : scans.get(cursor);
  scans.delete(cursor);
  const found: string[] = [];
  for (let looked = 0; looked < count; looked++) {
    const step = keys?.next();
    if (step === undefined || step.done) return answer("0", found);
    if (globMatches(pattern, step.value)) found.push(bulk(step.value));
  }
  const next = String(++lastCursor);
  scans.set(next, keys as Iterator<string, void>);
  const [oldest] = scans.keys();
  if (scans.size > MAX_OPEN && oldest !== undefined) scans.delete(oldest);
  return answer(next, found);
}

/** As strtoul(3) reads it, which Redis asks: `""` is 0 and `-1` the largest of 64 bits. */
function cursorOf(text: string): string {
  const [, sign, digits = "0"] = /^(?:([+-]?)0*(\d{1,20}))?$/.exec(text) ?? [undefined, "", "x"];
  const size = digits === "x" ? 2n ** 64n : BigInt(digits);
  if (size >= 2n ** 64n) throw new ReplyError("ERR invalid cursor");
  return String(sign === "-" ? BigInt.asUintN(64, -size) : size);
}

function countOf(text: string): number {
  const count = parseInteger(text);
  if (count === undefined) throw new ReplyError(NOT_INTEGER);
  if (count < 1) throw new ReplyError(SYNTAX);
  return Math.min(Number(count), MAX_COUNT);
}

function answer(cursor: string, found: readonly string[]): string {
  return array([bulk(cursor), array(found)]);
}
