import { HTTPHeaders, HTTPOutputError } from "@tw/httputil";
import { describe, expect, test } from "vitest";
import { fitHeaders, isBodiless, startLineOf, withLength } from "../src/answer-head.js";

const described = () =>
  new HTTPHeaders({
    "Content-Encoding": "gzip",
    "Content-Language": "de",
    "Content-Length": "5",
    "Content-Type": "text/plain",
    "Transfer-Encoding": "chunked",
    "X-Mine": "1",
  });
const names = (headers: HTTPHeaders) => [...headers.keys()];

test("startLineOf() takes the registered phrase where none was given", () => {
  const version = "HTTP/1.1";
  expect(startLineOf(200, undefined)).toEqual({ version, code: 200, reason: "OK" });
  expect(startLineOf(404, undefined)).toEqual({ version, code: 404, reason: "Not Found" });
  expect(startLineOf(200, "Fine")).toEqual({ version, code: 200, reason: "Fine" });
});

test.each([
  ["GET", 200, false],
  ["GET", 205, false],
  ["HEAD", 200, true],
  ["GET", 204, true],
  ["GET", 304, true],
])("isBodiless() of %s and %i is %s, RFC 9110 §6.4.1", (method, status, bodiless) => {
  expect(isBodiless(method, status)).toBe(bodiless);
});

describe("fitHeaders()", () => {
  test("leaves the fields of an answer that has a body", () => {
    expect(names(fitHeaders(described(), 200, "x"))).toEqual(names(described()));
  });

  test.each([
    [204, ["X-Mine"]],
    [205, ["Content-Length", "X-Mine"]],
    [304, ["X-Mine"]],
  ])("takes those out of a %i that describe its body, RFC 9110 §8.6", (status, left) => {
    expect(names(fitHeaders(described(), status, undefined))).toEqual(left);
    expect(names(fitHeaders(described(), status, ""))).toEqual(left);
  });

  test("refuses a body with 204 and 205; one with 304 is that of the answer it stands for", () => {
    for (const status of [204, 205])
      expect(() => fitHeaders(described(), status, "x")).toThrow(HTTPOutputError);
    expect(names(fitHeaders(described(), 304, "x"))).toEqual(["X-Mine"]);
  });
});

test("withLength() adds to a copy", () => {
  const own = new HTTPHeaders({ A: "1" });
  expect([...withLength(own, 7)]).toEqual([
    ["A", "1"],
    ["Content-Length", "7"],
  ]);
  expect([...own]).toEqual([["A", "1"]]);
});
