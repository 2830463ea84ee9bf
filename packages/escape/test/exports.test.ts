import * as exported from "@tw/escape";
import { expect, test } from "vitest";

test("the package exports these names", () => {
  expect(Object.keys(exported).sort()).toEqual([
    "fromUtf8",
    "jsonDecode",
    "jsonEncode",
    "parseQs",
    "parseQsBytes",
    "urlEscape",
    "urlUnescape",
    "urlUnescapeBytes",
    "utf8",
    "xhtmlEscape",
    "xhtmlUnescape",
  ]);
});
