export { type Abortable, offAbort, onAbort } from "./aborts.js";
export {
  checkDurationMs,
  checkFunction,
  checkInteger,
  checkLoop,
  checkOptions,
  checkSignal,
  MAX_DURATION_MS,
  type MeantOptions,
} from "./args.js";
export { trimBlanks } from "./blanks.js";
export {
  concatBytes,
  EMPTY_BYTES,
  equalBytes,
  fromLatin1,
  fromUtf8,
  indexOfBytes,
  isBytes,
  latin1,
  utf8,
} from "./bytes.js";
export { Deferred } from "./deferred.js";
export { invariant, isTwError, TwError } from "./errors.js";
export { housekeeping, isHousekeeping } from "./housekeeping.js";
export { ipMatcher, isIp } from "./ip.js";
export { type LogFields, type Logger, type LogMethod, logSafely } from "./logger.js";
export { isPromiseLike, rejected } from "./promise.js";
export { quote } from "./quote.js";
