// Tornado's three loggers, for whoever logs without having been given one. Nothing is configured globally: they are
// what `createLogger` makes with these names, and every layer takes another as its `logger` option.

import { createLogger } from "./create-logger.js";
import type { StructuredLogger } from "./structured-logger.js";

/** One record per request served. */
export const accessLogger: StructuredLogger = createLogger({ name: "tw.access" });
/** Errors of application code: uncaught exceptions in handlers and callbacks. */
export const appLogger: StructuredLogger = createLogger({ name: "tw.application" });
/** What the stack itself has to say: malformed requests, warnings. */
export const generalLogger: StructuredLogger = createLogger({ name: "tw.general" });
