// Times as clients give them: whole seconds or milliseconds from now.

import { NOT_INTEGER, ReplyError } from "../resp/replies.js";
import { parseInteger } from "../store/integers.js";
import type { Database } from "./command.js";

/** Redis counts milliseconds since 1970 in 64 bits: so many are left until 2039. */
const MAX_DELAY_MS = 2 ** 63 - 2 ** 41;

/** `count` units of `unitMs`, in milliseconds. @throws ReplyError for more than 64 bits hold, as an error of `command` */
export function delayMs(count: number | bigint, unitMs: number, command: string): number {
  const delay = Number(count) * unitMs;
  if (delay > MAX_DELAY_MS || delay < -(2 ** 63)) throw invalidTime(command);
  return delay;
}

/** When `text` units of `unitMs` from now are. @throws ReplyError for what is no time, or is over for a new value */
export function deadline(db: Database, text: string, unitMs: number, command: string): number {
  const count = parseInteger(text);
  if (count === undefined) throw new ReplyError(NOT_INTEGER);
  if (count <= 0) throw invalidTime(command);
  return db.now() + delayMs(count, unitMs, command);
}

function invalidTime(command: string): ReplyError {
  return new ReplyError(`ERR invalid expire time in '${command.toLowerCase()}' command`);
}
