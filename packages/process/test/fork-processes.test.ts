// Real children of real parents, on both engines.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MAX_DELAY_MS } from "@tw/ioloop";
import { virtualLoop } from "@tw/ioloop/testing";
import { bindSockets } from "@tw/tcp";
import { onEveryEngine } from "@tw/tooling-testing";
import { describe, expect, it } from "vitest";
import { cpuCount, forkProcesses, taskId, taskSockets } from "../src/index.js";
import { order, Server } from "./support.js";

/** What becomes of a parent that has few descriptors. */
function starved(environment: Record<string, string>, flags: readonly string[] = []) {
  const program = [
    process.execPath,
    ...flags,
    fileURLToPath(new URL("fixtures/starved.mjs", import.meta.url)),
  ];
  const { stdout, stderr } = spawnSync("sh", ["-c", 'ulimit -n 64; exec "$@"', "sh", ...program], {
    env: { ...process.env, ...environment },
    encoding: "utf8",
    timeout: 20_000,
  });
  return { said: stdout === "" ? undefined : (JSON.parse(stdout) as object), stderr };
}

onEveryEngine((engine) => {
  const start = (count: number, environment: Record<string, string> = {}) =>
    new Server({ TW_ENGINE: engine, COUNT: String(count), ...environment });

  describe("forkProcesses()", () => {
    it("runs a child per task on one port; all of them answer, and SIGTERM ends all with 0", async () => {
      const server = await start(3).until(({ served }) => served.length === 3);
      expect(server.served.map(({ id }) => id).sort()).toEqual([0, 1, 2]);
      expect(new Set(server.served.map(({ port }) => port)).size).toBe(1);
      const answers = await Promise.all(Array.from({ length: 60 }, () => order(server.port, "who")));
      const known = server.served.map(({ id, pid }) => `${id} ${pid}`);
      // The kernel spreads over sockets of their own; from one that is shared, whoever is awake accepts.
      if (engine === "native") expect(new Set(answers)).toEqual(new Set(known));
      else expect(answers.filter((answer) => !known.includes(answer))).toEqual([]);
      server.process.kill("SIGTERM");
      expect(await server.exit).toEqual({ code: 0, signal: null });
      expect(server.stderr.match(/exited normally/g)).toHaveLength(3);
    });

    it.each([
      ["crash", "exited with status 3, restarting"],
      ["kill", "was ended by SIGKILL, restarting"],
      ["signal", "was ended by a signal without a name, or left without its exit event, restarting"],
    ])("replaces a child that ends by %s with one of the same id", async (how, message) => {
      const server = await start(2).until(({ served }) => served.length === 2);
      expect(await order(server.port, how)).toBe("lost");
      await server.until(({ served }) => served.length === 3);
      expect(server.stderr).toContain(message);
      const [first, second, third] = server.served;
      const replaced = server.stderr.includes(`child ${first?.id} (pid`) ? first : second;
      expect(third?.id).toBe(replaced?.id);
      expect(third?.pid).not.toBe(replaced?.pid);
      const answers = await Promise.all(Array.from({ length: 20 }, () => order(server.port, "who")));
      expect(answers).not.toContain("lost");
      expect(answers).not.toContain("refused");
    });

    it("does not replace a child that exits with 0, and ends when all have", async () => {
      const server = await start(2).until(({ served }) => served.length === 2);
      expect(await order(server.port, "leave")).toBe("left");
      await server.until(({ stderr }) => stderr.includes("exited normally"));
      expect(await order(server.port, "leave")).toBe("left");
      expect(await server.exit).toEqual({ code: 0, signal: null });
      expect(server.served).toHaveLength(2);
    });

    it.each(["exit", "talk"])(
      "takes %s with 0 for the end of a task, whatever waits in its channel",
      async (how) => {
        const server = await start(2).until(({ served }) => served.length === 2);
        expect(await order(server.port, how)).toBe("lost");
        await server.until(({ stderr }) => stderr.includes("exited normally"));
        expect(await order(server.port, how)).toBe("lost");
        expect(await server.exit).toEqual({ code: 0, signal: null });
        expect(server.served).toHaveLength(2);
      },
    );

    it("takes a program that ends with 0 before it asks for its task for done", async () => {
      const server = start(2, { DONE_AT_START: "1" });
      expect(await server.exit).toEqual({ code: 0, signal: null });
      expect(server.stderr.match(/exited normally/g)).toHaveLength(2);
    });

    it("taskSockets() gives the sockets of a task once, and refuses a second owner", async () => {
      const server = await start(1).until(({ served }) => served.length === 1);
      expect(await order(server.port, "again")).toBe("ERR_TW_FORK");
      expect(await order(server.port, "who")).toBe(`0 ${server.served[0]?.pid}`);
    });

    it("gives up after maxRestarts: the others are drained, and the parent fails", async () => {
      const server = start(2, { CRASH_AT_START: "1", MAX_RESTARTS: "2" });
      expect(await server.exit).toEqual({ code: 1, signal: null });
      expect(server.stderr).toContain("ERR_TW_TOO_MANY_RESTARTS");
      expect(server.stderr.match(/status 7, restarting/g)).toHaveLength(2);
    });

    it.each([0, 3, 6])(
      "says that descriptors ran out where no child can be started, with %i of them left",
      (free) => {
        const { said, stderr } = starved({ TW_ENGINE: engine, FREE: String(free), MAX_RESTARTS: "0" });
        expect(said).toEqual({ code: "ERR_TW_TOO_MANY_RESTARTS", cause: "EMFILE", unaimed: 0 });
        expect(stderr).not.toContain("TypeError");
      },
    );

    it("loses no accepted connection when SIGTERM comes under load", async () => {
      const server = await start(2).until(({ served }) => served.length === 2);
      let greeted = 0;
      let stopping = false;
      const answers: string[] = [];
      const client = async () => {
        while (!stopping) {
          answers.push(
            await order(server.port, "slow", () => {
              // The first answers are out, and every child is in the middle of others.
              if (++greeted < 100 || stopping) return;
              stopping = true;
              server.process.kill("SIGTERM");
            }),
          );
        }
      };
      await Promise.all(Array.from({ length: 40 }, client));
      expect(await server.exit).toEqual({ code: 0, signal: null });
      expect(answers.filter((answer) => answer === "done").length).toBe(greeted);
      expect(answers).not.toContain("lost");
    });

    it("a child that is killed under load takes nobody along but its own connections", async () => {
      const server = await start(2).until(({ served }) => served.length === 2);
      const [victim] = server.served;
      let greeted = 0;
      const answers: string[] = [];
      const client = async () => {
        while (server.served.length < 3 || greeted < 200) {
          answers.push(
            await order(server.port, "slow", () => {
              if (++greeted === 60) process.kill(victim?.pid ?? 0, "SIGKILL");
            }),
          );
        }
      };
      await Promise.all(Array.from({ length: 40 }, client));
      expect(answers.filter((answer) => answer === "done").length).toBeGreaterThan(100);
      // Its own connections, some of them before it could greet; each client had one at a time.
      expect(answers.filter((answer) => answer !== "done").length).toBeLessThanOrEqual(40);
      server.process.kill("SIGINT");
      expect(await server.exit).toEqual({ code: 0, signal: null });
    });

    it("kills children that do not end in time", async () => {
      const server = await start(2, { STUBBORN: "1", STOP_TIMEOUT: "200" }).until(
        ({ served }) => served.length === 2,
      );
      server.process.kill("SIGTERM");
      expect(await server.exit).toEqual({ code: 0, signal: null });
      expect(server.stderr.match(/was ended by SIGKILL/g)).toHaveLength(2);
    });

    it("kills children at a second signal", async () => {
      const server = await start(1, { STUBBORN: "1" }).until(({ served }) => served.length === 1);
      // Of two kinds, since one kind that is pending twice comes once. No third: it could meet an end without listeners.
      for (const signal of ["SIGTERM", "SIGINT"] as const) server.process.kill(signal);
      expect(await server.exit).toEqual({ code: 0, signal: null });
      expect(server.stderr.match(/was ended by SIGKILL/g)).toHaveLength(1);
    });

    it("fails where the port is taken, before there is any child", async () => {
      const taken = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => taken.once("listening", resolve));
      const { port } = taken.address() as { port: number };
      const server = start(2, { PORT: String(port) });
      expect(await server.exit).toEqual({ code: 1, signal: null });
      expect(server.stderr).toContain("EADDRINUSE");
      expect(server.stderr).not.toContain("restarting");
      expect(server.served).toEqual([]);
      taken.close();
    });

    it("a child that listens for itself has a socket of its own, which nobody shares", async () => {
      const directory = mkdtempSync(join(tmpdir(), "tw-own-"));
      try {
        const environment = { TW_ENGINE: engine, SOCKET: join(directory, "s") };
        const server = new Server(environment, "own-sockets.mjs");
        await server.until(({ served }) => served.length === 2);
        expect(new Set(server.served.map(({ port }) => port)).size).toBe(2);
        expect(server.served.map(({ code }) => code).sort()).toEqual(["EADDRINUSE", "none"]);
        server.process.kill("SIGTERM");
        expect(await server.exit).toEqual({ code: 0, signal: null });
      } finally {
        rmSync(directory, { recursive: true });
      }
    });

    it("its children do not outlive a parent that dies", async () => {
      const server = await start(2).until(({ served }) => served.length === 2);
      server.process.kill("SIGKILL");
      // Its pipes close when the last one that holds them has ended.
      expect(await server.exit).toEqual({ code: null, signal: "SIGKILL" });
    });
  });

  // node:cluster closes its socket with its last child; the native engine's parent holds it.
  if (engine === "native") {
    it("connections that wait while the only child is replaced are answered by the next one", async () => {
      const server = await start(1).until(({ served }) => served.length === 1);
      expect(await order(server.port, "kill")).toBe("lost");
      const waiting = await Promise.all(Array.from({ length: 20 }, () => order(server.port, "who")));
      const [, next] = server.served;
      expect(new Set(waiting)).toEqual(new Set([`0 ${next?.pid}`]));
    });
  }
});

it("forkProcesses() gives up at once where Node's permission model allows no children", () => {
  const model =
    Number.parseInt(process.versions.node, 10) < 22 ? "--experimental-permission" : "--permission";
  const { said, stderr } = starved({ MAX_RESTARTS: "100" }, [model, "--allow-fs-read=*", "--no-warnings"]);
  expect(said).toEqual({ code: "ERR_TW_SPAWN", cause: "ERR_ACCESS_DENIED", unaimed: 0 });
  expect(stderr.match(/will not be: stopping the others/g)).toHaveLength(1);
});

onEveryEngine((engine) => {
  it("forkProcesses() on a loop that runs already leaves no port taken", async () => {
    const { loop } = virtualLoop();
    const running = loop.start();
    const [free] = await bindSockets(0, "127.0.0.1", { engine });
    const port = free?.port ?? 0;
    await free?.close();
    const refused = expect.objectContaining({ code: "ERR_TW_LOOP_RUNNING" });
    const listen = { port, address: "127.0.0.1", engine };
    await expect(forkProcesses(1, { loop, listen })).rejects.toEqual(refused);
    for (const socket of await bindSockets(port, "127.0.0.1", { engine })) await socket.close();
    loop.stop();
    await running;
  });
});

describe("outside of a child", () => {
  it("workers of a node:cluster of somebody's own go on to share what they listen on, on the node engine", () => {
    const program = fileURLToPath(new URL("fixtures/cluster.mjs", import.meta.url));
    const { stdout } = spawnSync(process.execPath, [program], {
      env: { ...process.env, PORT: "0" },
      encoding: "utf8",
      timeout: 20_000,
    });
    const [first, second] = JSON.parse(stdout) as unknown[];
    expect(first).toBeGreaterThan(0);
    expect(second).toBe(first);
  });

  it("taskId() is undefined, and there are no task sockets", async () => {
    expect(taskId()).toBeUndefined();
    await expect(taskSockets()).rejects.toMatchObject({ code: "ERR_TW_FORK" });
  });

  it("forkProcesses() throws on bad arguments at once", () => {
    for (const count of [-1, 0.5, 1025]) expect(() => forkProcesses(count)).toThrow(RangeError);
    expect(() => forkProcesses("2" as never)).toThrow(TypeError);
    expect(() => forkProcesses(1, { maxRestarts: -1 })).toThrow(RangeError);
    for (const stopTimeoutMs of [Number.NaN, MAX_DELAY_MS + 1])
      expect(() => forkProcesses(1, { stopTimeoutMs })).toThrow(RangeError);
    expect(() => forkProcesses(1, { loop: null as never })).toThrow(TypeError);
    expect(() => forkProcesses(1, 10 as never)).toThrow(/got 10: give { maxRestarts: 10 }$/);
  });

  it.each<[unknown, string | typeof Error]>([
    [8888, "listen must be an object, got 8888: give { port: 8888 }"],
    [null, "listen must be an object, got null"],
    [[undefined], TypeError],
    [{}, "port must be a number, got undefined"],
    [{ port: "80" }, TypeError],
    [{ port: 65_536 }, RangeError],
    [[{ port: 0 }, { port: -1 }], RangeError],
    [{ port: 80, address: 4 }, TypeError],
    [{ port: 80, address: "a\0b" }, TypeError],
    [{ port: 80, family: 5 }, RangeError],
    [{ port: 80, backlog: 0 }, RangeError],
    [{ port: 80, engine: "nativ" }, 'engine is "nativ"; it may be "native" or "node"'],
  ])("forkProcesses() throws at once when it is to listen on %j", (listen, error) => {
    expect(() => forkProcesses(1, { listen: listen as never })).toThrow(error);
  });

  it("cpuCount() is at least 1", () => {
    expect(Number.isInteger(cpuCount()) && cpuCount() >= 1).toBe(true);
  });
});
