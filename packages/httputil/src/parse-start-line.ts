// First lines as text, RFC 9112 §§3 and 4, for whoever has a line and no connection: tests, logs, captured traffic. What
// comes from a connection is read by `@tw/http1`, by the same rules and without making a text of it.

import { quote } from "@tw/util";
import { HTTPInputError } from "./errors.js";
import { isFieldText, isToken } from "./grammar.js";
import type { RequestStartLine, ResponseStartLine } from "./start-line.js";

/**
 * Reads `METHOD target HTTP/1.x`, without its line end: single blanks, a method that is a token, a target without blanks
 * and controls. Which form the target has, and whether it suits the method, is not looked at.
 *
 * @throws HTTPInputError for anything else, HTTP/2.0, HTTP/1.10 and http/1.1 included
 * @example
 * parseRequestStartLine("GET /a HTTP/1.1"); // { method: "GET", path: "/a", version: "HTTP/1.1" }
 */
export function parseRequestStartLine(line: string): RequestStartLine {
  const first = line.indexOf(" ");
  const second = line.indexOf(" ", first + 1);
  if (first === -1 || second === -1) throw new HTTPInputError(`Malformed request line ${quote(line)}`);
  const method = line.slice(0, first);
  const path = line.slice(first + 1, second);
  const version = line.slice(second + 1);
  if (!isToken(method)) throw new HTTPInputError(`Method ${quote(method)} is not a token`);
  if (!TARGET.test(path)) throw new HTTPInputError(`Malformed request target ${quote(path)}`);
  checkVersion(version);
  return { method, path, version };
}

/**
 * Reads `HTTP/1.x 200 reason`, without its line end. The blank after the code must be there, the reason need not.
 *
 * @throws HTTPInputError for anything else, and for a code below 100
 * @example
 * parseResponseStartLine("HTTP/1.1 200 OK"); // { version: "HTTP/1.1", code: 200, reason: "OK" }
 */
export function parseResponseStartLine(line: string): ResponseStartLine {
  const blank = line.indexOf(" ");
  if (blank === -1) throw new HTTPInputError(`Malformed status line ${quote(line)}`);
  const version = line.slice(0, blank);
  checkVersion(version);
  const rest = line.slice(blank + 1);
  const reason = rest.slice(4);
  if (!/^[1-9]\d\d $/.test(rest.slice(0, 4)) || !isFieldText(reason))
    throw new HTTPInputError(`Malformed status line ${quote(line)}`);
  return { version, code: Number(rest.slice(0, 3)), reason };
}

function checkVersion(version: string): void {
  // RFC 9112 §2.3: one digit each, in capitals; another minor version is understood, another major one is not.
  if (!/^HTTP\/1\.\d$/.test(version)) throw new HTTPInputError(`Malformed HTTP version ${quote(version)}`);
}

const TARGET = /^[\x21-\x7e\x80-\xff]+$/;
