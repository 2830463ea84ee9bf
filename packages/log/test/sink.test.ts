import { spawn } from "node:child_process";
import { once } from "node:events";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createLogger, type LogStream } from "../src/index.js";
import { MAX_WAITING } from "../src/sink.js";

const DROPPED = "Records were dropped: the stream of the log did not take them";

class Moody implements LogStream {
  readonly lines: { msg: string; dropped?: number; level: string }[] = [];
  writableLength = 0;
  broken = false;

  write(text: string): void {
    if (this.broken) throw new Error("broken");
    this.lines.push(JSON.parse(text));
  }
}

describe("a stream of a log", () => {
  it(`is written to while it holds ${MAX_WAITING} bytes, and not while it holds one more`, () => {
    const stream = new Moody();
    const log = createLogger({ stream });
    stream.writableLength = MAX_WAITING;
    log.info("fits");
    stream.writableLength = MAX_WAITING + 1;
    log.info("lost");
    log.info("lost");
    stream.writableLength = MAX_WAITING;
    log.info("again");
    log.info("and on");
    expect(stream.lines).toMatchObject([
      { msg: "fits" },
      { level: "warn", msg: DROPPED, dropped: 2 },
      { msg: "again" },
      { msg: "and on" },
    ]);
  });

  it("that throws costs records, which are counted across its loggers", () => {
    const stream = new Moody();
    stream.broken = true;
    createLogger({ stream }).info("lost");
    createLogger({ stream, name: "other" }).info("lost");
    stream.broken = false;
    createLogger({ stream }).info("again");
    expect(stream.lines).toMatchObject([{ msg: DROPPED, dropped: 2 }, { msg: "again" }]);
  });

  it("that logs while it writes does not do so for ever", () => {
    const texts: string[] = [];
    const stream: LogStream = {
      write(text) {
        texts.push(text);
        log.info("from within");
      },
    };
    const log = createLogger({ stream });
    log.info("x");
    expect(texts).toHaveLength(1);
  });

  it("that fails later, by an event nobody listens to, ends nothing", async () => {
    const stream = new Writable({
      write: (_chunk, _encoding, done) =>
        setImmediate(done, Object.assign(new Error("EPIPE"), { code: "EPIPE" })),
    });
    const log = createLogger({ stream });
    for (let i = 0; i < 100; i++) log.info("x");
    expect(stream.listenerCount("error")).toBe(1);
    await new Promise<void>((resolve) => stream.once("close", resolve));
    log.info("after the end of it");
    await new Promise((resolve) => setImmediate(resolve));
  });

  it("that never takes anything holds a bounded number of bytes", () => {
    const stream = new Writable({ write() {} });
    const log = createLogger({ stream });
    for (let i = 0; i < 1000; i++) log.info("x".repeat(10_000));
    expect(stream.writableLength).toBeLessThan(MAX_WAITING + 11_000);
  });
});

describe("process.stderr", () => {
  it("whose reader is gone does not end the process", async () => {
    const entry = fileURLToPath(new URL("../dist/index.js", import.meta.url));
    const program = `
      import { appLogger } from ${JSON.stringify(entry)};
      process.stdin.once("data", () => {
        for (let i = 0; i < 50; i++) appLogger.error({ err: new Error("x") }, "into the void");
        setImmediate(() => { console.log("alive"); process.exit(7); });
      });
      console.log("ready");`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: "pipe" });
    let out = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
      if (out !== "ready\n") return;
      child.stderr.destroy();
      child.stderr.once("close", () => child.stdin.write("go\n"));
    });
    const [code] = await once(child, "exit");
    expect({ code, out }).toEqual({ code: 7, out: "ready\nalive\n" });
  });
});
