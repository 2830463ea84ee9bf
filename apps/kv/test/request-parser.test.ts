import { dice } from "@tw/tooling-testing/dice";
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, type Limits } from "../src/limits.js";
import { type Request, RequestParser } from "../src/resp/request-parser.js";

/** What a parser makes of bytes in these pieces: requests, and the complaint that ended it. */
function parse(pieces: readonly string[], limits: Partial<Limits> = {}): (Request | string)[] {
  const parser = new RequestParser({ ...DEFAULT_LIMITS, ...limits });
  const seen: (Request | string)[] = [];
  try {
    for (const piece of pieces) {
      const view = Buffer.from(piece, "latin1");
      parser.push(view);
      for (let request = parser.next(); request !== undefined; request = parser.next()) seen.push(request);
      // The view is somebody else's from here on.
      view.fill(0x2a);
    }
  } catch (error) {
    seen.push(`${(error as { code?: string }).code}: ${(error as Error).message}`);
  }
  return seen;
}

/** Whole, byte by byte, and split at every point: the same. */
function parseEveryWay(wire: string, limits: Partial<Limits> = {}): (Request | string)[] {
  const whole = parse([wire], limits);
  expect(parse([...wire], limits)).toEqual(whole);
  for (let at = 1; at < wire.length; at++)
    expect([at, parse([wire.slice(0, at), wire.slice(at)], limits)]).toEqual([at, whole]);
  return whole;
}

const GET = "*2\r\n$3\r\nGET\r\n$4\r\nname\r\n";

describe("RequestParser", () => {
  it.each<[string, string, readonly Request[]]>([
    ["a request", GET, [["GET", "name"]]],
    [
      "pipelined requests",
      GET + GET,
      [
        ["GET", "name"],
        ["GET", "name"],
      ],
    ],
    [
      "empty and binary arguments",
      "*3\r\n$0\r\n\r\n$2\r\n\r\n\r\n$3\r\n\0\xff*\r\n",
      [["", "\r\n", "\0\xff*"]],
    ],
    ["requests of nothing", `*0\r\n*-1\r\n\r\n\n${GET}`, [["GET", "name"]]],
    [
      "a line",
      "SET name  value\r\nGET name\n",
      [
        ["SET", "name", "value"],
        ["GET", "name"],
      ],
    ],
    ["quotes", `SET "a b\\x41\\n\\"" 'it\\'s' ""\r\n`, [["SET", 'a bA\n"', "it's", ""]]],
    ["a line between", `PING\r\n${GET}PING\r\n`, [["PING"], ["GET", "name"], ["PING"]]],
  ])("reads %s", (_what, wire, requests) => {
    expect(parseEveryWay(wire)).toEqual(requests);
  });

  it.each([
    ["*x\r\n", "invalid multibulk length"],
    ["*\r\n", "invalid multibulk length"],
    ["*1-\r\n", "invalid multibulk length"],
    ["*99999999999\r\n", "invalid multibulk length"],
    ["*1\n$4\nPING\n", "invalid multibulk length"],
    ["*01\r\n", "invalid multibulk length"],
    ["*-0\r\n", "invalid multibulk length"],
    ["*1\rx", "expected CRLF"],
    ["*1\r\nPING\r\n", "expected '$', got 'P'"],
    ["*1\r\n$\r\n", "invalid bulk length"],
    ["*1\r\n$-1\r\n", "invalid bulk length"],
    ["*1\r\n$004\r\nPING\r\n", "invalid bulk length"],
    ["*1\r\n$4\r\nPINGS\r\n", "expected CRLF"],
    ["*1\r\n$4\r\nPING\rx", "expected CRLF"],
    [`GET "a\r\n`, "unbalanced quotes in request"],
    [`GET "a"b\r\n`, "unbalanced quotes in request"],
  ])("refuses %j behind what came before it", (wire, complaint) => {
    expect(parseEveryWay(GET + wire)).toEqual([["GET", "name"], `ERR_KV_PROTOCOL: ${complaint}`]);
  });

  it.each<[keyof Limits, number, string, string, string]>([
    ["maxArguments", 2, GET, "*3\r\n", "invalid multibulk length"],
    ["maxBulkSize", 4, GET, "*1\r\n$5\r\n", "invalid bulk length"],
    ["maxRequestSize", 7, GET, "*2\r\n$3\r\nGET\r\n$5\r\n", "too big request"],
    ["maxInlineSize", 9, "GET name\r\n", "GET names\r\n", "too big inline request"],
  ])("holds %s %i: it passes, one more does not", (limit, value, passes, fails, complaint) => {
    expect(parseEveryWay(passes + passes, { [limit]: value })).toEqual([
      ["GET", "name"],
      ["GET", "name"],
    ]);
    expect(parseEveryWay(fails, { [limit]: value })).toEqual([`ERR_KV_PROTOCOL: ${complaint}`]);
  });

  it("refuses an endless line before its end", () => {
    expect(parse(["x".repeat(5), "x".repeat(6)], { maxInlineSize: 10 })).toEqual([
      "ERR_KV_PROTOCOL: too big inline request",
    ]);
  });

  it("keeps what was left of a view that its reader stopped in", () => {
    const parser = new RequestParser(DEFAULT_LIMITS);
    const view = Buffer.from(GET + GET);
    parser.push(view);
    expect(parser.next()).toEqual(["GET", "name"]);
    parser.keep();
    view.fill(0);
    expect(parser.next()).toEqual(["GET", "name"]);
    expect(parser.next()).toBeUndefined();
  });

  it("chopping garbage never changes what comes of it, and never throws anything else", () => {
    const random = dice(7);
    const meaning = "*$\r\n0123456789-\"'\\x GETname";
    for (let round = 0; round < 2000; round++) {
      let wire = round % 2 === 0 ? "" : GET;
      for (let i = random(40); i > 0; i--) {
        const at = random(wire.length + 1);
        wire = wire.slice(0, at) + meaning[random(meaning.length)] + wire.slice(at + random(2));
      }
      const whole = parse([wire]);
      const last = whole.at(-1);
      if (typeof last === "string") expect(last).toMatch(/^ERR_KV_PROTOCOL/);
      expect([wire, parse([...wire])]).toEqual([wire, whole]);
      const at = random(wire.length + 1);
      expect([wire, parse([wire.slice(0, at), wire.slice(at)])]).toEqual([wire, whole]);
    }
  });
});
