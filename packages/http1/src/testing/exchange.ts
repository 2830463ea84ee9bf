// What one role writes the other accepts: random messages, some of them such as must be refused before a byte is sent.

import { HTTPHeaders, HTTPOutputError } from "@tw/httputil";
import { fromLatin1, latin1 } from "@tw/util";
import type { WriteHeadOptions } from "../head-framing.js";
import { HTTP1Machine } from "../machine.js";
import { resolveHTTP1Options } from "../options.js";
import { cuts } from "./mutate.js";
import { pick, upTo } from "./random.js";

const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "CONNECT",
  "M-SEARCH",
  "G T",
  "",
];
const TARGETS = [
  "/",
  "/a?b",
  "*",
  "a:1",
  "http://a/b",
  "//a",
  "/a b",
  "/#",
  "a",
  "http://",
  "/\xe9",
  "/\r\nX: y",
];
const CODES = [200, 204, 205, 206, 304, 404, 426, 500, 599, 99, 100, 101, 1000];
const VALUES = ["", "a", "a  b\tc", "\xff", "a\r\nX: y", "a\nb", "a\0", "\u20ac", "a, b"];
const FRAMING: readonly (readonly [string, string])[] = [
  ["Content-Length", "3"],
  ["Content-Length", "+3"],
  ["Transfer-Encoding", "chunked"],
  ["Transfer-Encoding", "gzip, chunked"],
  ["Connection", "close"],
  ["Connection", "keep-alive, x"],
  ["Host", "b"],
  ["Host", "a/b"],
  ["Upgrade", "x"],
  ["TE", "trailers"],
  ["TE", "chunked"],
  ["Expect", "100-continue"],
];

/**
 * One exchange between two machines. A writer either refuses, with an HTTPOutputError, TypeError or RangeError, or what
 * it wrote is read as one message with the same head and body, and nothing is left of it.
 *
 * @returns how many of the two messages were written
 * @throws Error where that does not hold
 */
export function exchangeHolds(random: () => number): number {
  const limits = resolveHTTP1Options();
  const client = new HTTP1Machine("client", limits);
  const server = new HTTP1Machine("server", limits);
  const method = pick(random, METHODS);
  const path = pick(random, TARGETS);
  const asked = write(random, client, { method, path, version: "HTTP/1.1" });
  if (asked === undefined) return 0;
  const request = read(random, server, asked.wire);
  check(request.head?.type === "request", asked.wire, "The server read no request");
  check(request.head?.type === "request" && request.head.method === method, asked.wire, "another method");
  check(request.head?.type === "request" && request.head.target === path, asked.wire, "another target");
  check(request.body === asked.body && request.ended, asked.wire, "another body");
  check(server.buffered === 0, asked.wire, "bytes were left");

  const code = pick(random, CODES);
  const answered = write(random, server, { version: "HTTP/1.1", code, reason: pick(random, VALUES) });
  if (answered === undefined) return 1;
  const response = read(random, client, answered.wire);
  const head = response.head;
  check(head?.type === "response" && head.code === code, answered.wire, "The client read no such response");
  check(response.body === answered.body && response.ended, answered.wire, "another body");
  check(client.buffered === 0, answered.wire, "bytes were left");
  check(client.keepAlive === server.keepAlive, answered.wire, "one side goes on, the other does not");
  return 2;
}

type Start = Parameters<HTTP1Machine["writeHead"]>[0];

/** A message as a driver writes it, or undefined where the writer refused. */
function write(random: () => number, machine: HTTP1Machine, start: Start) {
  const pieces = Array.from({ length: upTo(random, 3) }, () => "\xe9x\r\n".repeat(upTo(random, 20)));
  let body = "";
  try {
    const headers = randomHeaders(random, "method" in start);
    let wire = machine.writeHead(start, headers, randomOptions(random, pieces.join("").length));
    for (const piece of pieces) {
      if (!machine.bodyAllowed || piece === "") continue;
      wire += machine.frameData(piece.length) + piece + machine.dataSuffix;
      body += piece;
    }
    wire += machine.writeEnd(random() < 0.2 ? new HTTPHeaders({ "X-Sum": "1" }) : undefined);
    return { wire, body };
  } catch (error) {
    if (error instanceof HTTPOutputError || error instanceof TypeError || error instanceof RangeError)
      return undefined;
    throw new Error("A writer threw what it must not", { cause: error });
  }
}

function randomHeaders(random: () => number, isRequest: boolean): HTTPHeaders {
  const headers = new HTTPHeaders(isRequest && random() < 0.95 ? { Host: "a" } : {});
  for (let i = upTo(random, 3); i > 0; i--) {
    const field = random() < 0.4 ? pick(random, FRAMING) : ([`X-${i}`, pick(random, VALUES)] as const);
    headers.add(...field);
  }
  return headers;
}

function randomOptions(random: () => number, length: number): WriteHeadOptions {
  return {
    ...(random() < 0.6 ? { contentLength: length } : {}),
    ...(random() < 0.1 ? { contentLength: upTo(random, 9) } : {}),
    ...(random() < 0.2 ? { close: true } : {}),
    ...(random() < 0.3 ? { date: "Sun, 06 Nov 1994 08:49:37 GMT" } : {}),
  };
}

function read(random: () => number, machine: HTTP1Machine, wire: string) {
  let head: ReturnType<HTTP1Machine["next"]>;
  let body = "";
  let ended = false;
  let at = 0;
  for (const size of cuts(random)) {
    if (at < wire.length) machine.receive(latin1(wire.slice(at, at + size)));
    // What ends with the connection ends when the wire does.
    else if (at > wire.length + 60) machine.receiveEnd();
    at += size;
    for (let event = machine.next(); event !== undefined; event = machine.next()) {
      if (event.type === "data") body += fromLatin1(event.bytes);
      else if (event.type === "end") ended = true;
      else head = event;
      if (event.type === "closed") return { head, body, ended };
    }
    machine.retain();
    if (at > wire.length && ended) break;
    if (at > wire.length + 200) break;
  }
  return { head, body, ended };
}

function check(holds: boolean, wire: string, sentence: string): void {
  if (!holds)
    throw new Error(`What was written was not read as it was: ${sentence}: ${JSON.stringify(wire)}`);
}
