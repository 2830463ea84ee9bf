// EXPIRE and PEXPIRE, with their conditions on the time that the key has.

import { integer, NOT_INTEGER, ReplyError } from "../resp/replies.js";
import type { Request } from "../resp/request-parser.js";
import { parseInteger } from "../store/integers.js";
import type { Database } from "./command.js";
import { arg } from "./strings.js";
import { delayMs } from "./times.js";

type Condition = "NX" | "XX" | "GT" | "LT";

/** EXPIRE key time [NX | XX | GT | LT], the time in units of `unitMs` */
export function expire(db: Database, args: Request, unitMs: number): string {
  const key = arg(args, 1);
  const conditions = conditionsOf(args.slice(3));
  const count = parseInteger(arg(args, 2));
  if (count === undefined) throw new ReplyError(NOT_INTEGER);
  const delay = delayMs(count, unitMs, arg(args, 0));
  const when = db.now() + delay;
  const current = db.store.expiresAt(key);
  if (current === undefined || !conditions.every((condition) => holds(condition, current, when)))
    return integer(0);
  // A time that is over takes the key at once.
  if (delay <= 0) return integer(db.store.delete(key) ? 1 : 0);
  db.store.expireAt(key, when);
  db.sweeper.start();
  return integer(1);
}

function conditionsOf(options: readonly string[]): readonly Condition[] {
  const conditions = options.map((option) => {
    const condition = option.toUpperCase();
    if (condition === "NX" || condition === "XX" || condition === "GT" || condition === "LT")
      return condition;
    throw new ReplyError(`ERR Unsupported option ${option.slice(0, 128)}`);
  });
  const has = (condition: Condition): boolean => conditions.includes(condition);
  if (has("NX") && conditions.some((condition) => condition !== "NX"))
    throw new ReplyError("ERR NX and XX, GT or LT options at the same time are not compatible");
  if (has("GT") && has("LT"))
    throw new ReplyError("ERR GT and LT options at the same time are not compatible");
  return conditions;
}

/** `current` is 0 for a key that never expires, which is later than any time. */
function holds(condition: Condition, current: number, when: number): boolean {
  switch (condition) {
    case "NX":
      return current === 0;
    case "XX":
      return current !== 0;
    case "GT":
      return current !== 0 && when > current;
    case "LT":
      return current === 0 || when < current;
  }
}
