import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { newBlock, TOO_OFTEN } from "../src/watchdog/block.js";
import { LiveLine } from "../src/watchdog/live-line.js";
import type { RunningKind } from "../src/watchdog/report.js";

const folder = mkdtempSync(join(tmpdir(), "tw-live-line-"));
const path = join(folder, "said");
const place = { functionName: "spin", url: "file:///app.mjs", line: 3, column: 7 };
const blocked = (name: string, kind: RunningKind = "callback") => newBlock({ kind, name, label: "" }, 1, 0);
const fd = openSync(path, "a+");

beforeEach(() => ftruncateSync(fd));
afterAll(() => {
  closeSync(fd);
  rmSync(folder, { recursive: true });
});

/** What `say` has said, without what every line begins with. */
function said(say: (live: LiveLine) => void): string[] {
  say(new LiveLine(fd));
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => line.replace("[tw.watchdog] Blocked for ", ""));
}

describe("LiveLine", () => {
  it("names the job and the place, or what is known in its stead", () => {
    const lines = said((live) => {
      live.located(blocked("a"), place, 104.6);
      live.located(blocked("b"), undefined, 100);
      live.located({ ...blocked("c"), note: TOO_OFTEN }, undefined, 100);
      live.native(blocked("d"), 300);
    });
    expect(lines).toEqual([
      '105 ms and still is: callback "a", in spin (file:///app.mjs:3:7)',
      '100 ms and still is: callback "b", in code of Node itself',
      `100 ms and still is: callback "c". ${TOO_OFTEN}`,
      '300 ms and still is: callback "d", in a native call, whose line is named when it returns',
    ]);
  });

  it("is said of the first and the tenth of a kind, and a native call is a kind of its own", () => {
    const lines = said((live) => {
      for (let i = 0; i < 11; i++) {
        live.located(blocked("a"), place, i);
        live.native(blocked("a"), 100 + i);
      }
    });
    expect(lines.map((line) => Number.parseInt(line, 10))).toEqual([0, 100, 9, 109]);
  });

  it("is not said where there is nobody to name", () => {
    const lines = said((live) => {
      live.located(blocked("", "outside"), undefined, 100);
      live.native(blocked("", "outside"), 100);
    });
    expect(lines).toEqual([]);
  });

  it("is said nowhere without a descriptor, and gives a descriptor up that takes nothing", () => {
    new LiveLine(false).native(blocked("a"), 100);
    const unwritable = openSync(path, "r");
    new LiveLine(unwritable).native(blocked("a"), 100);
    closeSync(unwritable);
    expect(readFileSync(path, "utf8")).toBe("");
  });
});
