export {
  type AccessEntry,
  accessFields,
  accessLine,
  accessSummary,
  combinedLine,
  logAccess,
} from "./access.js";
export { logContext, withLogContext } from "./context.js";
export { createLogger, type LoggerOptions, nullLogger } from "./create-logger.js";
export { escapeControls } from "./escape.js";
export type { LogLevel, LogThreshold } from "./levels.js";
export { accessLogger, appLogger, generalLogger } from "./names.js";
export type { LogRecord } from "./record.js";
export type { LogStream } from "./sink.js";
export type { ChildLoggerOptions, LogCall, StructuredLogger } from "./structured-logger.js";
