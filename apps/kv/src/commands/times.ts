// Times as clients give them: whole seconds or milliseconds from now.

import { NOT_INTEGER, ReplyError } from "../resp/replies.js";
import { parseInteger } from "../store/integers.js";
import type { Database } from "./command.js";

/** When `text` units of `unitMs` from now are. @throws ReplyError for what is no time, or is over for a new value */
export function deadline(db: Database, text: string, unitMs: number, command: string): number {
  const count = parseInteger(text);
  if (count === undefined) throw new ReplyError(NOT_INTEGER);
  const delay = Number(count) * unitMs;
  if (delay <= 0 || !Number.isSafeInteger(delay))
    throw new ReplyError(`ERR invalid expire time in '${command}' command`);
  return db.now() + delay;
}
