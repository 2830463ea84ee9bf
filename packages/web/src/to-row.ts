// Rows as applications write them, made into rows of the table.

import type { RouteRow } from "@tw/routing";
import { RequestHandler } from "./request-handler.js";
import type { Route, RouteLike } from "./route.js";
import type { Service, UntypedHandlerClass } from "./route-types.js";
import { HandlerTarget, ServiceTarget, type Target } from "./target.js";

/** @throws TypeError for what is neither a Route nor a tuple of pattern, handler and options */
export function toRow(row: RouteLike<never>, index: number): RouteRow<Target> {
  if (Array.isArray(row)) return { pattern: row[0], target: toTarget(row[1], row[2], index) };
  const { pattern, "~handler": handler, "~init": init } = (row ?? {}) as Route;
  return { pattern, target: toTarget(handler, init, index) };
}

function toTarget(handler: unknown, init: unknown, index: number): Target {
  if (typeof handler !== "function") {
    throw new TypeError(
      `Row ${index} of the table has no handler: use route(pattern, handler) or [pattern, handler]`,
    );
  }
  if (isHandlerClass(handler)) return new HandlerTarget(handler, init);
  if (/^class\b/.test(Function.prototype.toString.call(handler))) {
    throw new TypeError(`Row ${index} of the table: class ${handler.name} does not extend RequestHandler`);
  }
  return new ServiceTarget(handler as Service<string>);
}

/** By what it can do, for a handler that extends another copy of this package. */
function isHandlerClass(handler: object): handler is UntypedHandlerClass {
  const { prototype, supportedMethods } = handler as Partial<UntypedHandlerClass>;
  return prototype instanceof RequestHandler || (prototype !== undefined && Array.isArray(supportedMethods));
}
