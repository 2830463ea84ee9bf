// How reading a body fails, apart from what is wrong with the body itself.

import { TwError } from "@tw/util";

/** The body did not come whole: its peer went away or broke the protocol (see `cause`), or its answer was completed first. */
export class BodyAbortedError extends TwError {
  constructor(message: string, cause?: unknown) {
    super("ERR_TW_BODY_ABORTED", message, cause === undefined ? undefined : { cause });
  }
}

/** A body has one reader, once: somebody reads it just now, or has read it. */
export class BodyUsedError extends TwError {
  constructor(message: string) {
    super("ERR_TW_BODY_USED", message);
  }
}
