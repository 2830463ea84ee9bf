// The body of a request as JSON. Three things can be wrong with it, and each has its status.

import { jsonDecode } from "@tw/escape";
import { type HTTPServerRequest, trimBlanks } from "@tw/httputil";
import { quote } from "@tw/util";
import { HTTPError, InvalidBodyError } from "./errors.js";
import type { StandardSchema } from "./standard-schema.js";

/**
 * Parses the body, and checks it against `schema` where one is given.
 *
 * @throws HTTPError 415 when Content-Type is not JSON, 400 when the body is not
 * @throws InvalidBodyError 422 when the schema refuses it
 */
export async function jsonBody<T>(
  request: HTTPServerRequest,
  schema: StandardSchema<T> | undefined,
): Promise<T> {
  const type = request.headers.get("Content-Type") ?? "";
  if (!isJsonType(type)) throw new HTTPError(415, `Not JSON: Content-Type ${quote(type)}`);
  const value = parse(request.body);
  if (schema === undefined) return value as T;
  const result = await schema["~standard"].validate(value);
  if (result.issues !== undefined) throw new InvalidBodyError(result.issues);
  return result.value;
}

/** `application/json`, or a type whose syntax is JSON, RFC 6839 §3.1. */
function isJsonType(type: string): boolean {
  const [essence = ""] = type.split(";", 1);
  return /^application\/(?:json|[\w.!#$&^-]+\+json)$/i.test(trimBlanks(essence));
}

function parse(body: Uint8Array): unknown {
  try {
    return jsonDecode(body);
  } catch (cause) {
    throw new HTTPError(400, "The body is not JSON", { cause });
  }
}
