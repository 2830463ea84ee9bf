// The options of SET: SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | KEEPTTL]

import { ReplyError, SYNTAX } from "../resp/replies.js";
import type { Request } from "../resp/request-parser.js";

/** What a SET asks for besides its key and its value. */
export interface SetOptions {
  only?: "NX" | "XX";
  /** How long the value lives: as long as the one before, or a number of units that nobody has looked at yet. */
  life?: "keep" | { readonly count: string; readonly unitMs: 1 | 1000 };
  wantsOld?: boolean;
}

const NONE: Readonly<SetOptions> = {};

/**
 * An option may be said twice: of two times the last one counts.
 *
 * @throws ReplyError for what is no option, and for two that contradict each other, whatever their times are
 */
export function setOptions(args: Request): Readonly<SetOptions> {
  if (args.length === 3) return NONE;
  const options: SetOptions = {};
  for (let i = 3; i < args.length; i++) {
    const option = args[i]?.toUpperCase();
    if (option === "GET") options.wantsOld = true;
    else if (option === "NX" || option === "XX") options.only = unlessOther(options.only, option);
    else if (option === "KEEPTTL") options.life = unlessOther(options.life, "keep");
    else if (option === "EX" || option === "PX") {
      const { life } = options;
      const unitMs = option === "EX" ? 1000 : 1;
      const count = args[++i];
      if (count === undefined || life === "keep" || (life !== undefined && life.unitMs !== unitMs))
        throw new ReplyError(SYNTAX);
      options.life = { count, unitMs };
    } else throw new ReplyError(SYNTAX);
  }
  return options;
}

/** @throws ReplyError when something else was said before */
function unlessOther<T>(before: unknown, now: T): T {
  if (before !== undefined && before !== now) throw new ReplyError(SYNTAX);
  return now;
}
