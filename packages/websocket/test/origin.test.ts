import { expect, test } from "vitest";
import { isSameOrigin } from "../src/index.js";

test.each([
  ["http://a", "a"],
  ["http://A", "a"],
  ["https://a", "a"],
  ["http://a", "A:80"],
  ["https://a", "a:443"],
  ["http://a:80", "a"],
  ["http://a:8888", "a:8888"],
  ["https://a:8888", "a:8888"],
  ["http://[::1]:8888", "[::1]:8888"],
  ["http://[0:0::1]", "[::1]"],
  ["http://127.0.0.1", "127.0.0.1"],
])("a page of %s may connect to %s", (origin, host) => {
  expect(isSameOrigin(origin, host)).toBe(true);
});

test.each([
  ["null", "null"],
  ["null", "a"],
  ["", "a"],
  ["a", "a"],
  ["http://b", "a"],
  ["http://a.b", "a"],
  ["http://b.a", "a"],
  ["http://a:8888", "a"],
  ["http://a", "a:8888"],
  ["https://a", "a:80"],
  ["http://a", "a:443"],
  ["https://a:80", "a"],
  ["file://a", "a"],
  ["chrome-extension://a", "a"],
  ["http://a, http://b", "a"],
  ["http://b@a", "a"],
  ["http://a@b", "a"],
  ["http://a/path", "a"],
  ["http://a?x", "a"],
  ["http://a", "a/x"],
  ["http://a", ""],
])("a page of %j may not connect to %j", (origin, host) => {
  expect(isSameOrigin(origin, host)).toBe(false);
});
