// What is told of a finished request. The line itself is that of @tw/log, the same as a plain server's: what a client sent
// is escaped in it (S-43).

import type { HTTPServerRequest } from "@tw/httputil";
import { accessSummary, logAccess as writeEntry } from "@tw/log";
import type { Logger } from "@tw/util";

/** What is known of a request when its answer is out. */
export interface FinishedRequest {
  readonly request: HTTPServerRequest;
  readonly status: number;
  /** Milliseconds from the head of the request to the end of the answer. */
  readonly durationMs: number;
}

/**
 * Writes `200 GET / (127.0.0.1) 1.23ms`, and behind it `: ` with what was wrong: info below 400, a warning below 500 and
 * where something was wrong, else an error.
 */
export function logAccess(
  logger: Logger,
  request: HTTPServerRequest,
  status: number,
  durationMs: number | undefined,
  detail: string | undefined,
): void {
  const { method, uri, version, remoteIp } = request;
  writeEntry(logger, { method, uri, version, status, remoteIp, durationMs, detail });
}

/** `GET /path?query (127.0.0.1)`. */
export function summary(request: HTTPServerRequest): string {
  return accessSummary(request);
}
