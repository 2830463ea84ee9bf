// The errors of the watchdog. Recognise them by `code`.

import { TwError } from "@tw/util";

/**
 * `ERR_TW_WATCHDOG_EXISTS` (another loop of this thread is watched), `ERR_TW_WATCHDOG_HOST` (the loop's host has no
 * real time) or `ERR_TW_WATCHDOG_ENDED` (its thread has ended by itself, or could not be started; the `cause` is why).
 */
export class WatchdogError extends TwError {
  constructor(code: WatchdogErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

export type WatchdogErrorCode = "ERR_TW_WATCHDOG_EXISTS" | "ERR_TW_WATCHDOG_HOST" | "ERR_TW_WATCHDOG_ENDED";
