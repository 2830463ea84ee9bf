// Real programs: node itself, and what every POSIX system has.

import { AsyncLocalStorage } from "node:async_hooks";
import { ChildProcess, spawnSync } from "node:child_process";
import { getEventListeners } from "node:events";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { IOLoop } from "@tw/ioloop";
import { type IOStream, PipeIOStream } from "@tw/iostream";
import { onEveryEngine } from "@tw/tooling-testing";
import { describe, expect, expectTypeOf, it, vi } from "vitest";
import { Subprocess, type SubprocessOptions } from "../src/index.js";

const node = (program: string) => [process.execPath, "-e", program];
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

onEveryEngine((engine) => {
  describe("Subprocess", () => {
    it("has streams where asked for, and nothing else", async () => {
      await using cat = new Subprocess(["cat"], { stdin: "stream", stdout: "stream", engine });
      expectTypeOf(cat.stdin).toEqualTypeOf<IOStream>();
      expectTypeOf(cat.stderr).toEqualTypeOf<undefined>();
      expect(cat.stderr).toBeUndefined();
      await cat.stdin.write("hello\n");
      expect(text(await cat.stdout.readUntil("\n", { maxBytes: 100 }))).toBe("hello\n");
      cat.stdin.end();
      expect(await cat.waitForExit()).toBe(0);
      expect(cat.exitCode).toBe(0);
      expect(text(await cat.stdout.readUntilClose())).toBe("");
      await cat.stdout.whenClosed;
    });

    it.each([
      ["signal", { signal: {} as AbortSignal }, TypeError],
      ["killSignal", { killSignal: "SIGNOT" as "SIGTERM" }, TypeError],
      ["killSignal", { killSignal: "constructor" as "SIGTERM" }, TypeError],
      ["env", { env: 5 as never }, TypeError],
      ["env", { env: null as never }, TypeError],
      ["engine", { engine: "x" as never }, TypeError],
      ["maxBufferSize", { maxBufferSize: -1 }, RangeError],
      ["maxWriteBufferSize", { maxWriteBufferSize: 0.5 }, RangeError],
    ])("refuses a %s that is none before it starts anything", async (name, options, error) => {
      const open = () => readdirSync("/proc/self/fd").length;
      const before = open();
      const make = () => new Subprocess(["sleep", "60"], { stdout: "stream", engine, ...options });
      expect(make).toThrow(error);
      expect(make).toThrow(name);
      expect(open()).toBe(before);
      expect(spawnSync("pgrep", ["-P", String(process.pid), "sleep"]).stdout.toString()).toBe("");
    });

    it("leaves nothing on the signal, whether it ran or could not be started", async () => {
      const { signal } = new AbortController();
      await using ran = new Subprocess(["true"], { signal, engine });
      await ran.waitForExit();
      await using missing = new Subprocess(["/nowhere/at-all"], { signal, engine });
      await expect(missing.waitForExit()).rejects.toMatchObject({ code: "ERR_TW_SPAWN" });
      expect(getEventListeners(signal, "abort")).toEqual([]);
    });

    it("leaves no descriptor behind, however it ends", async () => {
      const open = () => readdirSync("/proc/self/fd").length;
      const options = { stdin: "stream", stdout: "stream", stderr: "stream", engine } as const;
      const once = async () => {
        await using ended = new Subprocess(["true"], options);
        await ended.waitForExit();
        await using killed = new Subprocess(["cat"], options);
        expect(killed.stdin instanceof PipeIOStream).toBe(engine === "native");
        await using missing = new Subprocess(["/nowhere/at-all"], options);
        await expect(missing.waitForExit()).rejects.toMatchObject({ code: "ERR_TW_SPAWN" });
        expect(() => new Subprocess(["a\0b"], options)).toThrow(TypeError);
      };
      await once();
      const before = open();
      for (let i = 0; i < 10; i++) await once();
      // Node closes its handles later.
      await expect.poll(open).toBeLessThanOrEqual(before);
    });

    it("keeps what it wrote readable after its end, on both outputs", async () => {
      await using program = new Subprocess(node("console.log('out'); console.error('err')"), {
        stdout: "stream",
        stderr: "stream",
        engine,
      });
      await program.waitForExit();
      expect(text(await program.stdout.readUntilClose())).toBe("out\n");
      expect(text(await program.stderr.readUntilClose())).toBe("err\n");
    });

    it("moves megabytes both ways, and whoever does not read holds the program back", async () => {
      await using cat = new Subprocess(["cat"], { stdin: "stream", stdout: "stream", engine });
      const chunk = new Uint8Array(1 << 20).map((_, i) => i * 7);
      const written = (async () => {
        for (let i = 0; i < 16; i++) await cat.stdin.write(chunk);
        cat.stdin.end();
      })();
      for (let i = 0; i < 16; i++) {
        expect(Buffer.compare(await cat.stdout.readBytes(1 << 20), chunk)).toBe(0);
      }
      await written;
      expect(await cat.waitForExit()).toBe(0);
    });

    it("waitForExit() rejects with CalledProcessError on another code than 0, unless told not to", async () => {
      await using program = new Subprocess(node("process.exit(3)"));
      await expect(program.waitForExit()).rejects.toMatchObject({
        code: "ERR_TW_CALLED_PROCESS",
        exitCode: 3,
        signal: undefined,
      });
      expect(await program.waitForExit({ raiseError: false })).toBe(3);
      expect(program.exitCode).toBe(3);
    });

    it("cannot tell a real-time signal from an exit with 0, as Node does not, but a shell around it can", async () => {
      const killed = ["sh", "-c", "kill -40 $$"];
      await using program = new Subprocess(killed, { engine });
      expect(await program.waitForExit()).toBe(0);
      await using watched = new Subprocess(["sh", "-c", '"$@"; exit $?', "sh", ...killed], {
        engine,
        stderr: "ignore",
      });
      expect(await watched.waitForExit({ raiseError: false })).toBe(128 + 40);
    });

    it("tells the signal that ended it as a negative number", async () => {
      await using program = new Subprocess(["sleep", "60"]);
      expect(program.exitCode).toBeUndefined();
      expect(program.kill("SIGKILL")).toBe(true);
      expect(await program.waitForExit({ raiseError: false })).toBe(-9);
      await expect(program.waitForExit()).rejects.toMatchObject({ exitCode: -9, signal: "SIGKILL" });
      expect(program.kill()).toBe(false);
    });

    it("waitForExit() can be given up, and the program goes on", async () => {
      await using program = new Subprocess(["sleep", "60"]);
      await expect(program.waitForExit({ timeoutMs: 1 })).rejects.toMatchObject({ code: "ERR_TW_TIMEOUT" });
      const controller = new AbortController();
      const waiting = program.waitForExit({ signal: controller.signal });
      controller.abort("gone");
      await expect(waiting).rejects.toBe("gone");
      expect(program.exitCode).toBeUndefined();
      expect(() => program.waitForExit({ timeoutMs: -1 })).toThrow(RangeError);
    });

    it("writing to a program that has ended is EPIPE", async () => {
      const program = new Subprocess(["true"], { stdin: "stream", engine });
      await program.waitForExit();
      await program.stdin.whenClosed;
      await expect(program.stdin.write("x")).rejects.toMatchObject({
        code: "ERR_TW_STREAM_CLOSED",
        cause: { code: "EPIPE" },
      });
    });

    it("a program that does not exist: waitForExit() rejects, its streams are closed with the cause", async () => {
      const program = new Subprocess(["/nowhere/at-all"], { stdin: "stream", stdout: "stream", engine });
      const failure = { code: "ERR_TW_SPAWN", cause: { code: "ENOENT" } };
      await expect(program.waitForExit()).rejects.toMatchObject(failure);
      await expect(program.waitForExit()).rejects.toMatchObject(failure);
      await expect(program.stdout.readBytes(1)).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
      expect([program.pid, program.exitCode, program.kill()]).toEqual([undefined, undefined, false]);
      await program[Symbol.asyncDispose]();
    });

    // Node would ask the kernel to signal whatever stands where a pid should be, which is 0, our own group, or a stranger.
    it.each<[string, (start: (options?: SubprocessOptions) => Subprocess) => unknown]>([
      ["kill()", (start) => expect(start().kill("SIGKILL")).toBe(false)],
      ["disposing at once", (start) => start()[Symbol.asyncDispose]()],
      ["a signal that has aborted", (start) => start({ signal: AbortSignal.abort() })],
      [
        "a signal that aborts at once",
        (start) => {
          const controller = new AbortController();
          start({ signal: controller.signal });
          controller.abort();
        },
      ],
    ])("a program that did not start is sent nothing by %s", async (_, act) => {
      const send = vi.spyOn(ChildProcess.prototype, "kill").mockReturnValue(false);
      try {
        const made: Subprocess[] = [];
        await act((options = {}) => {
          const program: Subprocess = new Subprocess(["/nowhere/at-all"], { engine, ...options });
          made.push(program);
          return program;
        });
        await expect(made[0]?.waitForExit()).rejects.toMatchObject({ code: "ERR_TW_SPAWN" });
        expect(send).not.toHaveBeenCalled();
      } finally {
        send.mockRestore();
      }
    });

    it("is ERR_TW_SPAWN where descriptors run out, whatever lacks first, and nobody is sent a signal", () => {
      const fixture = fileURLToPath(new URL("fixtures/exhausted.mjs", import.meta.url));
      const { stdout, stderr, status, signal } = spawnSync(
        "sh",
        ["-c", 'ulimit -n 64; exec "$@"', "sh", process.execPath, fixture, engine],
        { encoding: "utf8" },
      );
      expect([stderr, status, signal]).toEqual(["", 0, null]);
      const { outcomes, unaimed } = JSON.parse(stdout) as { outcomes: string[]; unaimed: number };
      expect(new Set(outcomes)).toEqual(new Set(["started", "ERR_TW_SPAWN EMFILE"]));
      expect([outcomes.at(0), outcomes.at(-1), unaimed]).toEqual(["started", "ERR_TW_SPAWN EMFILE", 0]);
    });

    it("is no unhandled rejection when it fails and nobody waits", async () => {
      const program = new Subprocess(["/nowhere/at-all"]);
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      expect(program.pid).toBeUndefined();
    });

    it("ends by its signal, before or meanwhile", async () => {
      const controller = new AbortController();
      await using program = new Subprocess(["sleep", "60"], { signal: controller.signal });
      controller.abort();
      expect(await program.waitForExit({ raiseError: false })).toBe(-15);
      await using born = new Subprocess(["sleep", "60"], {
        signal: AbortSignal.abort(),
        killSignal: "SIGKILL",
      });
      expect(await born.waitForExit({ raiseError: false })).toBe(-9);
    });

    it("calls the exit callback once, on the loop, in the context of whoever set it, also after the end", async () => {
      const als = new AsyncLocalStorage<string>();
      await using program = new Subprocess(node("process.exit(4)"));
      const called = new Promise((resolve) => {
        als.run("mine", () => program.setExitCallback((code) => resolve([code, als.getStore()])));
      });
      expect(await called).toEqual([4, "mine"]);
      const late = new Promise((resolve) => program.setExitCallback(resolve));
      expect(await late).toBe(4);
      expect(() => program.setExitCallback(1 as never)).toThrow(TypeError);
    });

    it("an exit callback that throws is logged, and the process lives", async () => {
      const logged: unknown[] = [];
      const log = (fields: unknown) => logged.push(fields);
      const loop = new IOLoop({ logger: { debug: log, info: log, warn: log, error: log } as never });
      await using program = new Subprocess(node(""), { loop });
      program.setExitCallback(() => {
        throw new Error("callback");
      });
      await program.waitForExit();
      await new Promise((resolve) => loop.callLater(0, () => resolve(undefined)));
      expect(logged).toMatchObject([{ err: { message: "callback" } }]);
    });

    it("an exit callback is not called on a loop that is closed by then", async () => {
      const loop = new IOLoop();
      await using program = new Subprocess(["cat"], { stdin: "stream", loop, engine });
      let called = false;
      program.setExitCallback(() => {
        called = true;
      });
      await loop.close();
      program.stdin.end();
      expect(await program.waitForExit()).toBe(0);
      await new Promise((resolve) => setImmediate(resolve));
      expect(called).toBe(false);
      expect(() => program.setExitCallback(() => {})).toThrow(
        expect.objectContaining({ code: "ERR_TW_LOOP_CLOSED" }),
      );
    });

    it("disposing kills what still runs, and closes its streams", async () => {
      const program = new Subprocess(["cat"], { stdin: "stream", stdout: "stream", engine });
      await program[Symbol.asyncDispose]();
      expect(program.exitCode).toBe(-9);
      await Promise.all([program.stdin.whenClosed, program.stdout.whenClosed]);
      await program[Symbol.asyncDispose]();
    });

    it("passes arguments as they are, the directory, and the environment", async () => {
      const program = "console.log(JSON.stringify([process.argv.slice(1), process.cwd(), process.env.A]))";
      const args = ["a b", "$HOME", "`x`", "*"];
      await using shown = new Subprocess([...node(program), "--", ...args], {
        stdout: "stream",
        stderr: "ignore",
        engine,
        cwd: "/",
        env: { A: "one" },
      });
      expect(JSON.parse(text(await shown.stdout.readUntilClose()))).toEqual([args, "/", "one"]);
    });

    it("throws on bad arguments at once", () => {
      expect(() => new Subprocess([])).toThrow(TypeError);
      expect(() => new Subprocess("ls" as never)).toThrow(TypeError);
      expect(() => new Subprocess(["ls", 1 as never])).toThrow(TypeError);
      expect(() => new Subprocess(["a\0b"])).toThrow(TypeError);
      expect(() => new Subprocess(["ls"], { stdout: "pipe" as never })).toThrow(TypeError);
      expect(() => new Subprocess(["ls"], { stdin: -1 })).toThrow(RangeError);
    });
  });
});
