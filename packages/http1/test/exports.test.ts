import { expect, it } from "vitest";
import * as http1 from "../src/index.js";
import * as testing from "../src/testing.js";

it("exports these values and no others", () => {
  expect(Object.keys(http1).sort()).toEqual(["HTTP1Machine", "resolveHTTP1Options"]);
  expect(Object.keys(testing).sort()).toEqual([
    "fuzzHTTP1",
    "machineFor",
    "parseCorpus",
    "piecesOf",
    "runScenario",
  ]);
});
