import type { Profiler } from "node:inspector";
import { describe, expect, it } from "vitest";
import { blame, blameNative, sampledStack } from "../src/watchdog/stack.js";

const OWN = "file:///lib/ioloop/dist/";
const at = (functionName: string, url: string, line = 1) => ({ functionName, url, line, column: 1 });

describe("blame()", () => {
  it("names the innermost frame that is neither Node's nor the loop's own", () => {
    const user = at("user", "file:///app.mjs");
    expect(blame([at("readFileSync", "node:fs"), user, at("main", "file:///app.mjs")], OWN)).toBe(user);
    expect(
      blame([at("callJob", `${OWN}index.js`), at("processImmediate", "node:internal/timers")], OWN),
    ).toBe(undefined);
    expect(blame([], OWN)).toBe(undefined);
  });
});

describe("blameNative()", () => {
  const sampled = [at("readSync", "node:fs"), at("user", "file:///app.mjs", 10)];

  it("takes the sampled line where user code made the call itself", () => {
    const own = [at("user", "file:///app.mjs", 12)];
    expect(blameNative(own, [at("user", "file:///app.mjs", 13)], OWN)?.line).toBe(12);
  });

  it("takes the line of the paused stack where Node's code is in between and the function has not returned", () => {
    expect(blameNative(sampled, [at("close", "node:fs"), at("user", "file:///app.mjs", 12)], OWN)?.line).toBe(
      12,
    );
  });

  it("takes the function alone where it has", () => {
    expect(blameNative(sampled, [at("other", "file:///app.mjs", 50)], OWN)?.line).toBe(10);
    expect(blameNative(sampled, [at("user", "file:///other.mjs", 50)], OWN)?.line).toBe(10);
  });
});

describe("sampledStack()", () => {
  const frame = (functionName: string, lineNumber: number, url = "file:///app.mjs") => ({
    callFrame: { functionName, url, scriptId: "1", lineNumber, columnNumber: 4 },
  });
  const profile: Profiler.Profile = {
    nodes: [
      { id: 1, ...frame("(root)", -1, ""), children: [2, 3, 5] },
      { id: 2, ...frame("(program)", -1, "") },
      { id: 3, ...frame("outer", 9), children: [4] },
      {
        id: 4,
        ...frame("parse", 19),
        positionTicks: [
          { line: 21, ticks: 1 },
          { line: 22, ticks: 9 },
        ],
      },
      { id: 5, ...frame("another", 39), positionTicks: [{ line: 41, ticks: 30 }] },
    ],
    startTime: 1000,
    endTime: 2000,
    samples: [5, 5, 5, 4, 4, 2, 2, 2, 5],
    timeDeltas: [100, 100, 100, 100, 100, 100, 100, 100, 100],
  };

  it("is what was seen most often in the span, with the innermost line and the others' first lines", () => {
    expect(sampledStack(profile, 1350, 1850)).toEqual([
      { functionName: "parse", url: "file:///app.mjs", line: 22, column: 0 },
      { functionName: "outer", url: "file:///app.mjs", line: 10, column: 5 },
    ]);
  });

  it("takes samples at both ends of the span, and none beyond", () => {
    expect(sampledStack(profile, 1400, 1400)?.[0]?.functionName).toBe("parse");
    expect(sampledStack(profile, 1900, 1900)?.[0]?.functionName).toBe("another");
    expect(sampledStack(profile, 1301, 1399)).toBe(undefined);
  });

  it("is undefined where only V8 itself was seen, and for an empty profile", () => {
    expect(sampledStack(profile, 1600, 1800)).toBe(undefined);
    expect(sampledStack({ nodes: [], startTime: 0, endTime: 0 }, 0, 9)).toBe(undefined);
  });
});
