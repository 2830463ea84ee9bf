// Tornado's three loggers, for whoever logs without having been given one. Nothing is configured globally: they are
// what `createLogger` makes with these names, and every layer takes another as its `logger` option.

import type { Logger } from "@tw/util";
import { createLogger } from "./create-logger.js";

/** One record per request served. */
export const accessLogger: Logger = createLogger({ name: "tw.access" });
/** Errors of application code: uncaught exceptions in handlers and callbacks. */
export const appLogger: Logger = createLogger({ name: "tw.application" });
/** What the stack itself has to say: malformed requests, warnings. */
export const generalLogger: Logger = createLogger({ name: "tw.general" });
