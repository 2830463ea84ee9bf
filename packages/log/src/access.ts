// A line per request served. What a client sent is escaped in it (S-43): one request, one line, and nothing that talks
// to the terminal or passes for another field.

import type { LogFields, Logger } from "@tw/util";
import { escapeControls } from "./escape.js";

/** What is known of a request when its answer is over. Texts are as they came: whoever writes them escapes them. */
export interface AccessEntry {
  /** `""` where a peer was refused before there was a request. */
  readonly method: string;
  /** The request target; `""` as above. */
  readonly uri: string;
  /** Such as `HTTP/1.1`; `""` as above. */
  readonly version: string;
  /** Of the answer; 0 where none was begun. */
  readonly status: number;
  /** Numeric address of the client; `""` for a Unix socket. */
  readonly remoteIp: string;
  /** From the head of the request to the end of the answer; `undefined` where no clock was read. */
  readonly durationMs?: number | undefined;
  /** Bytes of the request's body. */
  readonly bytesReceived?: number | undefined;
  /** Bytes of the answer's body, as far as it was written. */
  readonly bytesSent?: number | undefined;
  /** How it ended; `refused`: the peer broke the protocol or was too slow. @default "complete" */
  readonly outcome?: "complete" | "upgraded" | "aborted" | "refused" | undefined;
  /** What was wrong with it, in words; whatever of it came from a client. */
  readonly detail?: string | undefined;
  readonly referer?: string | undefined;
  readonly userAgent?: string | undefined;
}

/**
 * Tornado's line: `200 GET / (127.0.0.1) 1.23ms`, with ` aborted` behind it where the answer is not whole, and what was wrong
 * behind a colon.
 *
 * @example
 * accessLine({ method: "GET", uri: "/\x1b[2J", version: "HTTP/1.1", status: 404, remoteIp: "::1" });
 * // 404 GET /\u001b[2J (::1)
 */
export function accessLine(entry: AccessEntry): string {
  const { durationMs, outcome, detail } = entry;
  const took = durationMs === undefined ? "" : ` ${durationMs.toFixed(2)}ms`;
  const end = outcome === "aborted" ? " aborted" : "";
  const wrong = detail === undefined ? "" : `: ${escapeControls(String(detail))}`;
  return `${entry.status === 0 ? "-" : entry.status} ${accessSummary(entry)}${took}${end}${wrong}`;
}

/** What a line about one request calls it: `GET /path?query (127.0.0.1)`. */
export function accessSummary({
  method,
  uri,
  remoteIp,
}: Pick<AccessEntry, "method" | "uri" | "remoteIp">): string {
  return `${shown(method)} ${shown(uri)} (${escapeControls(remoteIp)})`;
}

/**
 * The combined log format that tools for web logs read, without the line's end. `time` is the wall clock's, in ms since
 * 1970; it is written in UTC. A quote or a backslash within a quoted text has a backslash before it.
 *
 * @example
 * combinedLine(entry, loop.wallTime());
 * // 127.0.0.1 - - [21/Nov/2026:10:11:12 +0000] "GET / HTTP/1.1" 200 12 "-" "curl/8.14"
 */
export function combinedLine(entry: AccessEntry, time: number): string {
  const { status, bytesSent = 0, referer = "", userAgent = "" } = entry;
  const request = entry.method === "" ? "-" : `${entry.method} ${entry.uri} ${entry.version}`;
  const answer = `${status === 0 ? "-" : status} ${bytesSent === 0 ? "-" : bytesSent}`;
  return `${shown(entry.remoteIp)} - - [${stamp(time)}] ${quoted(request)} ${answer} ${quoted(referer)} ${quoted(userAgent)}`;
}

/** The entry as fields of a record, without what is unknown: `logger.info(accessFields(entry), accessLine(entry))`. */
export function accessFields(entry: AccessEntry): LogFields {
  const { method, uri, version, status, remoteIp } = entry;
  const fields: Record<string, unknown> = { method, uri, version, status, remoteIp };
  for (const name of [
    "durationMs",
    "bytesReceived",
    "bytesSent",
    "outcome",
    "detail",
    "referer",
    "userAgent",
  ] as const) {
    const value = entry[name];
    if (value !== undefined) fields[name] = value;
  }
  return fields;
}

/** Writes {@link accessLine}: info below 400, a warning below 500 and where something was wrong, else an error. */
export function logAccess(logger: Logger, entry: AccessEntry): void {
  const line = accessLine(entry);
  if (entry.status >= 500) logger.error(line);
  else if (entry.status >= 400 || entry.detail !== undefined) logger.warn(line);
  else logger.info(line);
}

function shown(text: string): string {
  return text === "" ? "-" : escapeControls(text);
}

function quoted(text: string): string {
  return text === "" ? '"-"' : `"${escapeControls(text.replace(/["\\]/g, "\\$&"))}"`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `21/Nov/2026:10:11:12 +0000`. */
function stamp(time: number): string {
  const at = new Date(time);
  const two = (part: number): string => String(part).padStart(2, "0");
  const day = `${two(at.getUTCDate())}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}`;
  return `${day}:${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`;
}
