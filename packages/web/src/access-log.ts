// A line per request, and lines about errors. What a client sent is escaped in them (S-43): one request, one line.

import type { HTTPServerRequest } from "@tw/httputil";
import type { Logger } from "@tw/util";

/** What is known of a request when its answer is out. */
export interface FinishedRequest {
  readonly request: HTTPServerRequest;
  readonly status: number;
  /** Milliseconds from the head of the request to the end of the answer. */
  readonly durationMs: number;
}

/** Writes `200 GET / (127.0.0.1) 1.23ms`: info below 400, a warning below 500, else an error. */
export function logAccess(
  logger: Logger,
  request: HTTPServerRequest,
  status: number,
  durationMs: number | undefined,
): void {
  const line = `${status} ${summary(request)}${durationMs === undefined ? "" : ` ${durationMs.toFixed(2)}ms`}`;
  if (status < 400) logger.info(line);
  else if (status < 500) logger.warn(line);
  else logger.error(line);
}

/** `GET /path?query (127.0.0.1)`. */
export function summary(request: HTTPServerRequest): string {
  return `${request.method} ${visible(request.uri)} (${request.remoteIp})`;
}

/** Replaces every character that could end the line or talk to a terminal by `\xNN`. */
function visible(text: string): string {
  return CONTROL.test(text) ? text.replace(EACH_CONTROL, escaped) : text;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const EACH_CONTROL = /[\x00-\x1f\x7f-\x9f]/g;

function escaped(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
