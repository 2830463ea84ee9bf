// The watchdog over real loops that are really blocked, each in a process of its own. Nothing here waits for a time:
// a block goes on until the watchdog has spoken, or is told by its report.

import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { BlockedReport } from "../src/index.js";

const fixture = fileURLToPath(new URL("fixtures/watchdog/blocks.mjs", import.meta.url));
const source = readFileSync(fixture, "utf8").split("\n");
const lineOf = (mark: string) => source.findIndex((line) => line.endsWith(`// here: ${mark}`)) + 1;
const place = (mark: string) =>
  `${mark} (${new URL("fixtures/watchdog/blocks.mjs", import.meta.url).href}:${lineOf(mark)}`;

interface Outcome {
  readonly stdout: unknown[];
  readonly stderr: string;
  readonly exit: number | string | null;
}

/** Runs a case to its end; `onStderr` sees what came so far, and may act on the process. */
function run(
  args: readonly string[],
  onOutput: (output: {
    stdout: string;
    stderr: string;
    kill(signal: NodeJS.Signals): void;
    end(): void;
  }) => void = () => undefined,
  flags: readonly string[] = [],
): Promise<Outcome> {
  const child = spawn(process.execPath, [...flags, fixture, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  const tell = () =>
    onOutput({ stdout, stderr, kill: (signal) => child.kill(signal), end: () => child.stdin.end() });
  child.stdout.on("data", (data: Buffer) => {
    stdout += data;
    tell();
  });
  child.stderr.on("data", (data: Buffer) => {
    stderr += data;
    tell();
  });
  return new Promise((resolve) => {
    child.on("close", (code, signal) => {
      const lines = stdout.split("\n").filter(Boolean);
      resolve({ stdout: lines.map((line) => JSON.parse(line)), stderr, exit: signal ?? code });
    });
  });
}

const reportsOf = ({ stdout }: Outcome) =>
  stdout.filter(
    (line): line is BlockedReport => typeof line === "object" && line !== null && "blockedMs" in line,
  );
const liveLines = (stderr: string) => stderr.split("\n").filter((line) => line.startsWith("[tw.watchdog]"));
const records = ({ stderr }: Outcome) =>
  stderr
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));

/** For blocks without an end: ends the process as soon as the watchdog has spoken. */
const untilSpoken = (name: string) =>
  run([name], ({ stderr, kill }) => {
    if (stderr.includes("blocks.mjs:")) kill("SIGKILL");
  });

describe("a block that lasts is named while it lasts", { timeout: 60_000 }, () => {
  it("a busy for: function, file and line, and the callback", async () => {
    const { stderr } = await untilSpoken("spin");
    expect(stderr).toContain(`callback "spin", in ${place("spin")}:`);
  });

  it("a catastrophic regular expression: function, file and line, and the timer", async () => {
    const { stderr } = await untilSpoken("match");
    expect(stderr).toContain(`timer "match", in ${place("match")}:`);
  });

  it("the request, as a layer above called it, with controls escaped", async () => {
    const { stderr } = await untilSpoken("label");
    expect(stderr).toContain(`callback "serve" (GET /report\\n\\u001b[2J), in ${place("spin")}:`);
  });

  it("a native call: the callback while it lasts, and the line once it has returned", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tw-watchdog-"));
    const fifo = join(folder, "fifo");
    try {
      expect(spawnSync("mkfifo", [fifo]).status).toBe(0);
      let unblocked: Promise<void> | undefined;
      const outcome = await run(["read", fifo], ({ stderr }) => {
        if (stderr.includes("\n")) unblocked ??= writeFile(fifo, "something");
      });
      await unblocked;
      expect(liveLines(outcome.stderr)[0]).toContain(
        'callback "readAll", in a native call, whose line is named when it returns',
      );
      expect(reportsOf(outcome)).toMatchObject([{ running: { kind: "callback", name: "readAll" } }]);
      const position = reportsOf(outcome)[0]?.position;
      expect(position).toMatchObject({ functionName: "readAll" });
      // V8 knows the line where it took a sample within the function, else that of its head.
      expect([lineOf("readAll"), lineOf("readAll") - 1]).toContain(position?.line);
      expect(outcome.exit).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("a block that is over is reported", { timeout: 60_000 }, () => {
  it("JSON.parse: the line of the call, although nothing else sees the stack while it runs", async () => {
    const outcome = await run(["json"]);
    const running = { kind: "callback", name: "parse" };
    const position = { functionName: "parse", line: lineOf("parse") };
    expect(reportsOf(outcome)).toMatchObject([{ native: true, count: 1, running, position, note: "" }]);
    expect(records(outcome)).toMatchObject([
      { level: "warn", msg: "The loop was blocked", running: 'callback "parse"', native: true },
    ]);
    expect(outcome.exit).toBe(0);
  });

  it.each([
    ["before another call", "shortLoad", "callback", "load"],
    ["last in a callback", "shortLast", "callback", "lastOfCallback"],
    ["last behind an await", "shortAwait", "outside", "behindAwait"],
    ["last in a timer of Node's", "shortTimer", "outside", "inTimer"],
    ["last in a setImmediate", "shortImmediate", "outside", "inImmediate"],
  ])(
    "a native call that is over when it would be said, %s: its line, not what followed",
    async (_, name, kind, at) => {
      const outcome = await run([name]);
      expect(reportsOf(outcome)).toMatchObject([{ running: { kind }, position: { functionName: at } }]);
      // A call that is over just when the thread is asked looks like JavaScript, which is at the next line.
      expect([lineOf(at), lineOf(at) + 1]).toContain(reportsOf(outcome)[0]?.position?.line);
      expect(outcome.exit).toBe(0);
    },
  );

  it("zlib, called through Node's own code: the line of the call", async () => {
    const outcome = await run(["zlib"]);
    const position = { functionName: "squeeze", line: lineOf("squeeze") };
    expect(reportsOf(outcome)).toMatchObject([{ running: { kind: "callback", name: "squeeze" }, position }]);
  });

  it("code behind an await is told to be outside the loop's jobs, with its line", async () => {
    const outcome = await run(["continuation"]);
    expect(reportsOf(outcome)).toMatchObject([
      { running: { kind: "outside", name: "" }, position: { line: lineOf("busyFor") } },
    ]);
    expect(reportsOf(outcome)[0]?.stack.map(({ functionName }) => functionName)).toContain("later");
  });

  it("a function without a name is called anonymous, its line is named all the same", async () => {
    const outcome = await run(["nameless"]);
    expect(records(outcome)).toMatchObject([{ running: "callback (anonymous)" }]);
    expect(reportsOf(outcome)).toMatchObject([
      { blockedMs: expect.any(Number), position: { line: lineOf("busyFor") } },
    ]);
    expect(reportsOf(outcome)[0]?.blockedMs).toBeGreaterThan(60);
  });

  it("repeated: counted each time, published each time, said the first and the tenth time", async () => {
    const outcome = await run(["often"]);
    expect(reportsOf(outcome).map(({ count }) => count)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(outcome.stdout.at(-1)).toEqual({ published: 11 });
    expect(liveLines(outcome.stderr).length).toBe(2);
    expect(records(outcome).map(({ count = 1 }) => count)).toEqual([1, 10]);
  });

  it("an onBlocked that throws is logged, and hears the next report", async () => {
    const outcome = await run(["throwing"]);
    const errors = records(outcome).filter(({ msg }) => msg === "Exception in onBlocked");
    expect([errors.length, outcome.stdout.at(-1), outcome.exit]).toEqual([2, "alive", 0]);
  });

  it("a logger that fails by a promise does not end the process", async () => {
    expect(await run(["failingLogger"])).toEqual({ stdout: ["alive"], stderr: "", exit: 0 });
  });

  it("live: false leaves the descriptor alone, the logger still hears", async () => {
    const outcome = await run(["quiet"]);
    expect([liveLines(outcome.stderr).length, records(outcome).length, outcome.exit]).toEqual([0, 1, 0]);
  });
});

describe("what is no block is not reported", { timeout: 60_000 }, () => {
  it.each(["manyShort", "sleeping"])("%s", async (name) => {
    const outcome = await run([name]);
    expect(outcome).toEqual({ stdout: ["ready"], stderr: "", exit: 0 });
  });

  it("a process that was suspended", async () => {
    let stopped = false;
    const outcome = await run(["stopped"], ({ stdout, kill, end }) => {
      if (stopped || !stdout.includes("ready")) return;
      stopped = true;
      kill("SIGSTOP");
      setTimeout(() => {
        kill("SIGCONT");
        setTimeout(end, 1000);
      }, 1500);
    });
    expect(outcome).toEqual({ stdout: ["ready"], stderr: "", exit: 0 });
  });

  it("a loop that another debugger has paused: it stays paused, and a later block is named beside it", async () => {
    const outcome = await run(["debugged"]);
    expect(outcome.stdout.slice(0, 4)).toEqual([
      "ready",
      { resumedByOthers: 0 },
      { wasPaused: true },
      "after the debugger",
    ]);
    expect(reportsOf(outcome)).toMatchObject([{ position: { line: lineOf("busyFor") } }]);
    expect(outcome.exit).toBe(0);
  });
});

describe("the watchdog and its process", { timeout: 60_000 }, () => {
  it("names the callback of a loop in a worker thread, and says why there is no line", async () => {
    const outcome = await run(["thread"]);
    expect(reportsOf(outcome)).toMatchObject([
      {
        running: { kind: "callback", name: "inThread" },
        stack: [],
        note: expect.stringContaining("worker thread"),
      },
    ]);
    expect(liveLines(outcome.stderr)[0]).toContain('is: callback "inThread". The line cannot be named');
    expect(outcome.exit).toBe(0);
  });

  it("names the callback where Node's permission model does not allow the inspector, and lives", async () => {
    const model =
      Number.parseInt(process.versions.node, 10) < 22 ? "--experimental-permission" : "--permission";
    const flags = [model, "--allow-fs-read=*", "--allow-worker", "--no-warnings"];
    const outcome = await run(["forbidden"], undefined, flags);
    expect(reportsOf(outcome)).toMatchObject([
      {
        running: { kind: "callback", name: "forbidden" },
        stack: [],
        note: expect.stringContaining("does not allow it"),
      },
    ]);
    expect(liveLines(outcome.stderr)[0]).toContain('is: callback "forbidden". The line cannot be named');
    expect(outcome.exit).toBe(0);
  });

  it.each([
    ["exitCode", 7],
    ["ignored", 8],
  ])("%s: does not hold the process, nor change how it ends", async (name, exit) => {
    const outcome = await run([name]);
    expect([outcome.exit, outcome.stderr]).toEqual([exit, ""]);
  });

  it("set again it takes the new options, unset it is silent and leaves nothing behind", async () => {
    const outcome = await run(["twice"]);
    expect(reportsOf(outcome).length).toBe(1);
    expect(liveLines(outcome.stderr).length).toBe(1);
    expect([outcome.stdout.at(-1), outcome.exit]).toEqual([{ activity: true }, 0]);
  });

  it("watches one loop of a thread at a time", async () => {
    const outcome = await run(["other"]);
    expect([outcome.stdout, outcome.exit]).toEqual([["ready", "ERR_TW_WATCHDOG_EXISTS", "none"], 0]);
  });
});
