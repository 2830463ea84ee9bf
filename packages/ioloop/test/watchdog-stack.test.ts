import type { Profiler } from "node:inspector";
import { describe, expect, it } from "vitest";
import { blame, blameNative, pausedStack, placeOf, sampledStack } from "../src/watchdog/stack.js";

const OWN = "file:///lib/ioloop/dist/";
const at = (functionName: string, url: string, line = 1, head = "1:1") => ({
  functionName,
  url,
  line,
  column: 1,
  head,
});

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

  it("does not take another function without a name for the same one", () => {
    const nameless = [at("readSync", "node:fs"), at("", "file:///app.mjs", 10, "10:5")];
    expect(blameNative(nameless, [at("", "file:///app.mjs", 51, "50:5")], OWN)?.line).toBe(10);
    expect(blameNative(nameless, [at("", "file:///app.mjs", 12, "10:5")], OWN)?.line).toBe(12);
  });

  it("takes the paused line for module code behind an await, of which a sample knows the file only", () => {
    const module = [at("", "file:///app.mjs", 1, "0:0")];
    expect(blameNative(module, [at("", "file:///app.mjs", 12, "1:1")], OWN)?.line).toBe(12);
    expect(blameNative(module, [at("user", "file:///app.mjs", 12)], OWN)?.line).toBe(1);
  });
});

describe("placeOf()", () => {
  const handler = at("handler", "file:///app.mjs", 21, "20:17");
  const behind = [at("innocent", "file:///app.mjs", 15, "14:18"), { ...handler, line: 22 }];

  it("blames what was sampled, not what the pause found behind it, however prompt the answer was", () => {
    for (const promptly of [true, false]) {
      expect(placeOf([handler], behind, promptly, OWN)).toEqual({ stack: [handler], position: handler });
      expect(placeOf([handler], [at("processImmediate", "node:timers")], promptly, OWN).position).toBe(
        handler,
      );
    }
  });

  it("takes the paused stack where both show the same function and the answer was prompt", () => {
    const paused = [{ ...handler, line: 23, column: 7 }];
    expect(placeOf([handler], paused, true, OWN)).toEqual({ stack: paused, position: paused[0] });
    expect(placeOf([handler], paused, false, OWN).position).toBe(handler);
  });

  it("takes the paused stack where nothing was sampled, or only code of Node's", () => {
    expect(placeOf(undefined, behind, false, OWN)).toEqual({ stack: behind, position: behind[0] });
    const nodes = [at("listOnTimeout", "node:internal/timers")];
    expect(placeOf(nodes, behind, true, OWN).position).toBe(behind[0]);
    expect(placeOf(nodes, behind, false, OWN).position).toBe(undefined);
  });
});

describe("pausedStack()", () => {
  it("knows functions by where they begin, as a profile does", () => {
    const place = (lineNumber: number, columnNumber: number) => ({ scriptId: "9", lineNumber, columnNumber });
    const frame = { functionName: "", url: "", location: place(4, 6), functionLocation: place(3, 1) };
    expect(pausedStack([frame as never], () => "file:///app.mjs")).toEqual([
      { functionName: "", url: "file:///app.mjs", line: 5, column: 7, head: "4:2" },
    ]);
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

  const span = (fromUs: number, toUs: number) => ({ fromUs, toUs });

  it("is what was seen most often in the span, with the innermost line and the others' first lines", () => {
    expect(sampledStack(profile, span(1350, 1850))).toEqual([
      { functionName: "parse", url: "file:///app.mjs", line: 22, column: 0, head: "20:5" },
      { functionName: "outer", url: "file:///app.mjs", line: 10, column: 5, head: "10:5" },
    ]);
  });

  it("takes samples at both ends of the span, and none beyond", () => {
    expect(sampledStack(profile, span(1400, 1400))?.[0]?.functionName).toBe("parse");
    expect(sampledStack(profile, span(1900, 1900))?.[0]?.functionName).toBe("another");
    expect(sampledStack(profile, span(1301, 1399))).toBe(undefined);
  });

  it("leaves out what was sampled while the thread was being asked", () => {
    expect(sampledStack(profile, span(1100, 1500))?.[0]?.functionName).toBe("another");
    expect(sampledStack(profile, span(1100, 1500), span(1100, 1200))?.[0]?.functionName).toBe("parse");
  });

  it("is undefined where only V8 itself was seen, and for an empty profile", () => {
    expect(sampledStack(profile, span(1600, 1800))).toBe(undefined);
    expect(sampledStack({ nodes: [], startTime: 0, endTime: 0 }, span(0, 9))).toBe(undefined);
  });
});
