// S-06, S-07: work grows with the input and no faster. Twice the input may take three times the time of the processor;
// quadratic work takes four times. The smallest of several runs counts, since noise only adds.

import { describe, expect, it, vi } from "vitest";
import { HTTP1Machine } from "../src/index.js";
import { repeat, run, type Scenario } from "./helpers.js";

const limits = {
  maxHeadSize: 1 << 26,
  maxHeaderFields: 1 << 22,
  maxBodySize: 1 << 30,
  maxTrailerSize: 1 << 26,
};
const get = (fields: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const post = (fields: string, body: string): string => `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`;
const chunked = (body: string): string => post("Transfer-Encoding: chunked\r\n", body);

/** Wires by a measure of their length, each at a size that takes milliseconds. */
const WIRES: readonly (readonly [name: string, size: number, wire: (n: number) => string])[] = [
  ["fields of one name", 60_000, (n) => get("X: y\r\n".repeat(n))],
  ["fields of many names", 60_000, (n) => get(Array.from({ length: n }, (_, i) => `X-${i}: y\r\n`).join(""))],
  ["one value", 2_000_000, (n) => get(`X: ${"y".repeat(n)}\r\n`)],
  ["one target", 2_000_000, (n) => `GET /${"y".repeat(n)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ["one Host", 500_000, (n) => `GET / HTTP/1.1\r\nHost: ${"a".repeat(n)}\r\n\r\n`],
  ["an absolute form", 500_000, (n) => `GET http://${"a".repeat(n)}/ HTTP/1.1\r\nHost: a\r\n\r\n`],
  ["repeated Content-Length", 40_000, (n) => post("Content-Length: 1\r\n".repeat(n), "a")],
  ["one list of lengths", 200_000, (n) => post(`Content-Length: ${"1,".repeat(n)}1\r\n`, "a")],
  ["repeated Connection", 40_000, (n) => get("Connection: x\r\n".repeat(n))],
  ["one list of connection options", 300_000, (n) => get(`Connection: ${"x,".repeat(n)}y\r\n`)],
  ["repeated Upgrade", 40_000, (n) => get("Upgrade: x\r\n".repeat(n))],
  ["blanks around a value", 1_000_000, (n) => get(`Connection: ${" \t".repeat(n)}x\r\n`)],
  ["chunks of one byte", 100_000, (n) => chunked(`${"1\r\na\r\n".repeat(n)}0\r\n\r\n`)],
  ["trailers", 60_000, (n) => chunked(`0\r\n${"X: y\r\n".repeat(n)}\r\n`)],
  ["trailers that are dropped", 40_000, (n) => chunked(`0\r\n${"Date: y\r\n".repeat(n)}\r\n`)],
  ["pipelined requests", 20_000, (n) => get("").repeat(n)],
];

/** Milliseconds of this process, the least of some runs. */
function cost(scenario: Scenario, cuts: () => Iterable<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const before = process.cpuUsage();
    const lines = run(scenario, cuts());
    const { user, system } = process.cpuUsage(before);
    expect(lines.findLast((line) => !line.startsWith("  "))).toMatch(/^end/);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

/** What twice the input costs, in times of what one costs; measured anew while it is not what is expected: noise is. */
function growth(
  wire: (n: number) => string,
  size: number,
  cuts: () => Iterable<number>,
  isExpected: (ratio: number) => boolean = (ratio) => ratio <= 3,
): number {
  let ratio = Number.NaN;
  for (let attempt = 0; attempt < 4 && !isExpected(ratio); attempt++) {
    const once = cost({ role: "server", wire: wire(size), options: limits }, cuts);
    const twice = cost({ role: "server", wire: wire(2 * size), options: limits }, cuts);
    ratio = twice / Math.max(once, 0.5);
  }
  return ratio;
}

describe("S-06: twice the input is at most three times the work", () => {
  it.each(WIRES)("%s, in one piece", (_, size, wire) => {
    expect(growth(wire, size, () => [1e9])).toBeLessThanOrEqual(3);
  });

  it.each(WIRES)("%s, dripping", (_, size, wire) => {
    expect(growth(wire, Math.ceil(size / 20), () => repeat(1))).toBeLessThanOrEqual(3);
  });

  it("and what is quadratic is found: here a look at all that is buffered with each byte", () => {
    const { retain } = HTTP1Machine.prototype;
    let seen = 0;
    vi.spyOn(HTTP1Machine.prototype, "retain").mockImplementation(function (this: HTTP1Machine) {
      retain.call(this);
      const { buffered } = this;
      for (let i = 0; i < 10 * buffered; i++) seen += i & 1;
    });
    try {
      expect(
        growth(
          (n) => get(`X: ${"y".repeat(n)}\r\n`),
          2_500,
          () => repeat(1),
          (ratio) => ratio > 3,
        ),
      ).toBeGreaterThan(3);
      expect(seen).toBeGreaterThan(0);
    } finally {
      vi.restoreAllMocks();
    }
  });
});
