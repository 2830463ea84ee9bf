import { expect, it } from "vitest";
import * as util from "../src/index.js";

it("exports these names and no others", () => {
  expect(Object.keys(util).sort()).toEqual([
    "Deferred",
    "EMPTY_BYTES",
    "MAX_DURATION_MS",
    "TwError",
    "checkDurationMs",
    "checkFunction",
    "checkInteger",
    "checkLoop",
    "checkOptions",
    "checkSignal",
    "concatBytes",
    "equalBytes",
    "fromLatin1",
    "fromUtf8",
    "housekeeping",
    "indexOfBytes",
    "invariant",
    "ipMatcher",
    "isBytes",
    "isHousekeeping",
    "isIp",
    "isPromiseLike",
    "isTwError",
    "latin1",
    "logSafely",
    "offAbort",
    "onAbort",
    "quote",
    "rejected",
    "trimBlanks",
    "utf8",
  ]);
});
