// Handlers on what is no socket, and on as many descriptors as there may be.

import { execFile, execFileSync, spawn } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { loadPoller } from "@tw/poller";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERROR, IOLoop, READ, WRITE } from "../src/index.js";
import { close, own, receive, send, turns } from "./handlers-support.js";

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/handlers/${name}`, import.meta.url));

describe.skipIf(loadPoller() === undefined)("handlers on descriptors of all kinds", () => {
  let directory = "";
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "tw-handlers-"));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it("a FIFO: READ for each writer, ERROR while there is none any more, and READ again for the next", async () => {
    const path = join(directory, "fifo");
    execFileSync("mkfifo", [path]);
    const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
    const loop = new IOLoop();
    const reader = own(openSync(path, O_RDONLY | O_NONBLOCK));
    const seen: unknown[] = [];
    loop.addHandler(
      reader,
      (fd, events) => {
        seen.push(events, receive(fd));
        if (events & ERROR) loop.updateHandler(fd, 0);
      },
      READ,
    );
    await turns();
    for (const text of ["first", "second"]) {
      const writer = own(openSync(path, O_WRONLY | O_NONBLOCK));
      loop.updateHandler(reader, READ);
      send(writer, text);
      await turns();
      close(writer);
      await turns();
      expect(seen.splice(0)).toEqual([READ, text, READ | ERROR, ""]);
    }
    loop.removeHandler(reader);
  });

  it("/dev/ptmx: WRITE at once, and READ with what the line discipline echoes", async () => {
    const { O_RDWR, O_NOCTTY, O_NONBLOCK } = constants;
    const loop = new IOLoop();
    const master = own(openSync("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK));
    const seen: unknown[] = [];
    loop.addHandler(
      master,
      (fd, events) => {
        seen.push(events);
        loop.updateHandler(fd, READ);
        if (events & READ) seen.push(receive(fd));
        else send(fd, "echo me\n");
      },
      WRITE,
    );
    await expect.poll(() => seen.length).toBe(3);
    expect(seen).toEqual([WRITE, READ, "echo me\r\n"]);
    loop.removeHandler(master);
  });

  it("/dev/null is refused, as the kernel does not poll it", () => {
    const loop = new IOLoop();
    const fd = openSync("/dev/null", "r");
    expect(() => loop.addHandler(fd, () => undefined, READ)).toThrow(
      expect.objectContaining({ code: "ERR_TW_HANDLER_REFUSED", message: expect.stringContaining("EPERM") }),
    );
    closeSync(fd);
  });

  it("eventfd, timerfd, inotify, a terminal and a process", async () => {
    const child = spawn("python3", [fixture("kinds.py"), directory, fixture("kinds.mjs"), process.execPath], {
      stdio: ["pipe", "pipe", "inherit"],
      timeout: 10_000,
    });
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      if (out.includes("may go")) child.stdin.end();
    });
    const code = await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
    expect([code, JSON.parse(out.split("\n")[1] ?? "{}")]).toEqual([
      0,
      {
        eventfdAtFirst: WRITE,
        eventfd: { events: READ, got: 42 },
        eventfdEmptied: 0,
        timerfd: { events: READ, got: 1 },
        inotifyAtFirst: 0,
        inotify: { events: READ, got: true },
        terminalAtFirst: 0,
        terminalHalfALine: "waits",
        terminal: { events: READ, got: "a line\n" },
        echo: { events: READ, got: "a line\r\n" },
        terminalGone: true,
        pidfdAtFirst: 0,
        pidfd: READ,
      },
    ]);
  });

  it("9500 pipes at once: each byte is reported within as many turns as there are batches, and nothing is left", async () => {
    const pipes = 9500;
    const { stdout } = await promisify(execFile)(process.execPath, [fixture("many.mjs"), String(pipes)]);
    expect(JSON.parse(stdout)).toEqual({
      most: pipes,
      rounds: [pipes, pipes],
      pairs: pipes / 2,
      wrong: [],
      handlers: 0,
      left: 0,
    });
  });
});
