// What a handler returns, turned into what is written.

import { jsonEncode } from "@tw/escape";
import type { MaybePromise } from "@tw/httputil";
import { isBytes } from "@tw/util";
import { ResponseFinishedError } from "./errors.js";
import type { Exchange } from "./exchange.js";
import { sendResponse } from "./send-response.js";

/**
 * What a verb may return: nothing (what was written stands), text, bytes, a `Response` (streamed through), or an object
 * or array to be sent as JSON.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a verb that returns nothing is declared to return void
export type Respondable = string | Uint8Array | Response | object | undefined | void;

const JSON_TYPE = "application/json; charset=UTF-8";

/** Writes a returned value and finishes. @throws TypeError for what has no form as a body */
export function respond(exchange: Exchange, value: unknown): MaybePromise {
  if (exchange.state === "aborted") return exchange.settle();
  if (value === undefined) {
    if (exchange.state === "detached") exchange.settle();
    else if (exchange.state !== "finished") void exchange.finish();
    return;
  }
  if (exchange.state === "finished" || exchange.state === "detached")
    throw new ResponseFinishedError("return a value");
  if (typeof value === "string" || isBytes(value)) return void exchange.finish(value);
  if (isResponse(value)) return sendResponse(exchange, value);
  exchange.finish(encodeJson(exchange, value));
}

/** Makes JSON of an object and says so in Content-Type, in place of another one. @throws TypeError */
export function encodeJson(exchange: Exchange, value: unknown): string {
  if (!isJson(value)) throw new TypeError(`Neither text nor bytes nor JSON: ${describe(value)}`);
  const text = jsonEncode(value);
  if (exchange.state === "open") exchange.headers.set("Content-Type", JSON_TYPE);
  return text;
}

/** For logs and errors: what kind of thing a value is, and nothing of what it says. */
export function describe(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "object" ? (value.constructor?.name ?? "object") : typeof value;
}

function isResponse(value: unknown): value is Response {
  return typeof Response !== "undefined" && value instanceof Response;
}

/** Objects whose JSON would be `{}` by accident (a Map, a stream), or would tell too much (an error), are not JSON. */
function isJson(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return true;
  if (Symbol.iterator in value || Symbol.asyncIterator in value) return false;
  if (ArrayBuffer.isView(value) || (typeof Blob !== "undefined" && value instanceof Blob)) return false;
  return !(value instanceof Error || value instanceof ArrayBuffer || value instanceof Promise);
}
