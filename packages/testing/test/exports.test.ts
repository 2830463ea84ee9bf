import { expect, it } from "vitest";
import * as testing from "../src/index.js";

it("exports these names and no others", () => {
  expect(Object.keys(testing).sort()).toEqual([
    "ExpectLog",
    "ExpectedLogError",
    "LeakError",
    "LeakGuard",
    "MemoryNetwork",
    "Random",
    "SimulatedNetwork",
    "VirtualHost",
    "VirtualIdleError",
    "bindUnusedPort",
    "expectLog",
    "fuzzHTTP1",
    "guardEachTest",
    "hostCases",
    "installLoop",
    "leakGuard",
    "networkConformance",
    "parseCorpus",
    "simulate",
    "torture",
    "transportConformance",
    "virtualLoop",
    "watchLeaks",
  ]);
});
