import { describe, expect, it } from "vitest";
import { IOLoop } from "../src/index.js";
import { virtualLoop } from "../src/testing.js";
import { MAX_OFFENDERS, Offenders } from "../src/watchdog/offenders.js";
import { resolveWatchdogOptions } from "../src/watchdog/options.js";
import { describePosition, describeRunning, worthSaying } from "../src/watchdog/report.js";
import { recorder } from "./support.js";

describe("options of setBlockingWatchdog()", () => {
  it("default to 100 ms, a sample each quarter of it, and stderr", () => {
    expect(resolveWatchdogOptions({})).toEqual({
      thresholdMs: 100,
      sampleMs: 25,
      live: 2,
      onBlocked: undefined,
      entry: expect.any(URL),
      ownUrl: expect.stringMatching(/\/src\/$/),
    });
    expect(resolveWatchdogOptions({ thresholdMs: 5000 }).sampleMs).toBe(100);
  });

  it.each([
    [{ thresholdMs: 10 }, { thresholdMs: 600_000 }, { sampleMs: 0 }, { sampleMs: 1 }, { sampleMs: 100 }],
    [{ live: false as const }, { live: 0 }, { live: 2 ** 31 - 1 }],
  ])("take what is at their limits", (...good) => {
    for (const options of good) expect(() => resolveWatchdogOptions(options)).not.toThrow();
  });

  it.each([
    [RangeError, { thresholdMs: 9.9 }],
    [RangeError, { thresholdMs: 600_001 }],
    [RangeError, { thresholdMs: Number.NaN }],
    [RangeError, { sampleMs: 0.5 }],
    [RangeError, { sampleMs: 101 }],
    [RangeError, { live: -1 }],
    [TypeError, { thresholdMs: "100" }],
    [TypeError, { live: true }],
    [TypeError, { onBlocked: {} }],
    [TypeError, { entry: "./worker.js" }],
    [TypeError, null],
    [TypeError, 100],
  ])("are refused with %o when they are %o, before anything starts", (type, options) => {
    const loop = new IOLoop();
    expect(() => loop.setBlockingWatchdog(options as never)).toThrow(type);
    expect(loop.activity).toBe(undefined);
  });

  it("are refused on a loop in virtual time, whose host has no pulse", () => {
    const { loop } = virtualLoop();
    expect(() => loop.setBlockingWatchdog({})).toThrow(
      expect.objectContaining({ code: "ERR_TW_WATCHDOG_HOST" }),
    );
  });

  it("leave no activity behind a thread that ends by itself, nor behind one that could not be replaced", async () => {
    const loop = new IOLoop({ logger: recorder() });
    const thread = (code: string) => new URL(`data:text/javascript,${encodeURIComponent(code)}`);
    const ended = expect.objectContaining({ code: "ERR_TW_WATCHDOG_ENDED" });
    await expect(loop.setBlockingWatchdog({ entry: thread("") })).rejects.toEqual(ended);
    expect(loop.activity).toBe(undefined);
    void loop.setBlockingWatchdog({ entry: thread("setInterval(() => undefined, 1000)") });
    expect(loop.activity).not.toBe(undefined);
    expect(() => loop.setBlockingWatchdog({ entry: new URL("http://localhost/worker.js") })).toThrow(
      TypeError,
    );
    expect(loop.activity).toBe(undefined);
    await loop.close();
  });

  it("may be undefined where there is no watchdog", async () => {
    await expect(new IOLoop().setBlockingWatchdog(undefined)).resolves.toBe(undefined);
  });
});

describe("what is said", () => {
  it("names jobs, with controls escaped", () => {
    expect(describeRunning({ kind: "timer", name: "a\nb", label: "GET /\u001b" })).toBe(
      'timer "a\\nb" (GET /\\u001b)',
    );
    expect(describeRunning({ kind: "callback", name: "", label: "" })).toBe("callback (anonymous)");
    expect(describeRunning({ kind: "outside", name: "", label: "" })).toBe("code outside the loop's jobs");
  });

  it("names places, with the column where it is known", () => {
    const place = { functionName: "", url: "file:///a.js", line: 3 };
    expect(describePosition({ ...place, column: 0 })).toBe("(anonymous) (file:///a.js:3)");
    expect(describePosition({ ...place, functionName: "f", column: 7 })).toBe("f (file:///a.js:3:7)");
  });

  it("is said for the powers of ten", () => {
    expect([0, 1, 2, 9, 10, 11, 99, 100, 101, 1000].filter(worthSaying)).toEqual([1, 10, 100, 1000]);
  });
});

describe("Offenders", () => {
  const job = (name: string, label = "") => ({ kind: "callback" as const, name, label });
  const place = { functionName: "f", url: "file:///a.js", line: 3, column: 7 };

  it("counts by job and line, whatever the column and the label", () => {
    const offenders = new Offenders();
    expect(offenders.count(job("a", "GET /1"), place, 100)).toEqual({ count: 1, totalMs: 100 });
    expect(offenders.count(job("a", "GET /2"), { ...place, column: 8 }, 50)).toEqual({
      count: 2,
      totalMs: 150,
    });
    expect(offenders.count(job("a"), { ...place, line: 4 }).count).toBe(1);
    expect(offenders.count(job("b"), place).count).toBe(1);
  });

  it("goes on with the count of the job where no place is known", () => {
    const offenders = new Offenders();
    for (let i = 0; i < 20; i++) offenders.count(job("a"), place, 10);
    expect(offenders.count(job("a"), undefined, 10)).toEqual({ count: 21, totalMs: 210 });
    expect(offenders.count(job("a"), place).count).toBe(21);
    expect(offenders.count(job("b"), undefined).count).toBe(1);
  });

  it("forgets the one that was silent for longest when there are more than 256", () => {
    const offenders = new Offenders();
    for (let i = 0; i < MAX_OFFENDERS; i++) offenders.count(job(`${i}`), undefined);
    offenders.count(job("0"), undefined);
    offenders.count(job("new"), undefined);
    expect(offenders.count(job("0"), undefined).count).toBe(3);
    expect(offenders.count(job("1"), undefined).count).toBe(1);
  });
});
