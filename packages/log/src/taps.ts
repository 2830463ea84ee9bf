// Who hears of records before they are written, and may swallow them: `ExpectLog`, in tests. Nobody, otherwise.

import type { LogRecord } from "./record.js";
import { shared } from "./shared.js";

/** Hears of a record, of one below the logger's level too (`enabled` is false then). True: it is not written. */
export type LogTap = (record: LogRecord, logger: object, enabled: boolean) => boolean;

/** The taps of this thread, the latest last. */
export const taps: LogTap[] = shared("@tw/log.taps", () => []);

/** Asks the taps, the latest first, so that an inner one has the first word. One that throws has not swallowed it. */
export function swallowed(record: LogRecord, logger: object, enabled: boolean): boolean {
  for (let at = taps.length - 1; at >= 0; at--) {
    try {
      if (taps[at]?.(record, logger, enabled)) return true;
    } catch {
      // A test's pattern or predicate failed: the record is written, and the expectation stays open.
    }
  }
  return false;
}

/** Adds a tap, and returns the function that takes it away. */
export function addTap(tap: LogTap): () => void {
  taps.push(tap);
  return () => {
    const at = taps.indexOf(tap);
    if (at >= 0) taps.splice(at, 1);
  };
}
