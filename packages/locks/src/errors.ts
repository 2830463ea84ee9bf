// The errors of locks. Recognise them by `code`.

import { TwError } from "@tw/util";

/** `ERR_TW_NOT_ACQUIRED`: a lock or a bounded semaphore was released more often than acquired. */
export class NotAcquiredError extends TwError {
  /** `what` begins the sentence: `"This Lock"`. */
  constructor(what: string) {
    super("ERR_TW_NOT_ACQUIRED", `${what} cannot be released: it is not acquired. One release per acquire`);
  }
}
