export { createLogger, type LoggerOptions, type LogStream, nullLogger } from "./create-logger.js";
export { escapeControls } from "./escape.js";
export type { LogLevel, LogThreshold } from "./levels.js";
export { accessLogger, appLogger, generalLogger } from "./names.js";
