import { virtualLoop } from "@tw/ioloop/testing";
import type { Logger } from "@tw/util";
import { describe, expect, it } from "vitest";
import { exitStatus } from "../src/exit-status.js";
import { type Child, Supervisor } from "../src/supervisor.js";

interface Fake extends Child {
  readonly id: number;
  readonly signals: string[];
  end(code: number | null, signal?: string): void;
}

function stage(count: number, maxRestarts: number, refuse: (nth: number) => string | false = () => false) {
  const children: Fake[] = [];
  const ended: number[] = [];
  const logged: string[] = [];
  let asked = 0;
  const at = (level: string) => (first: unknown, message?: string) => {
    logged.push(`${level}: ${message ?? String(first)}`);
  };
  const logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") } as Logger;
  const { loop, host } = virtualLoop({ logger });
  const supervisor = new Supervisor({
    count,
    maxRestarts,
    stopTimeoutMs: 5000,
    loop,
    spawn(id, onEnd) {
      const code = refuse(asked++);
      // As Node has it: at once, or a tick later of a child without a pid.
      if (code === "ERR_ACCESS_DENIED") throw Object.assign(new Error(code), { code });
      const signals: string[] = [];
      const kill = (signal: string) => signals.push(signal);
      if (code !== false) {
        process.nextTick(() => onEnd({ failure: Object.assign(new Error(code), { code }) }));
        return { pid: undefined, kill };
      }
      const end = (status: number | null, by?: string) => onEnd({ status: exitStatus(status, by ?? null) });
      const child = { id, pid: 100 + children.length, signals, kill, end };
      children.push(child as Fake);
      return child as Fake;
    },
    onTaskEnd: (id) => ended.push(id),
  });
  supervisor.start();
  const child = (n: number) => children[n] as Fake;
  return { supervisor, children, child, ended, logged, host, asked: () => asked };
}

async function state(promise: Promise<void>): Promise<unknown> {
  return await Promise.race([
    promise.then(
      () => "finished",
      (error) => error,
    ),
    new Promise((resolve) => setImmediate(resolve, "running")),
  ]);
}

describe("Supervisor", () => {
  it("that gives up kills who has not ended by the time limit, and only then fails", async () => {
    const { supervisor, child, host } = stage(2, 0);
    child(0).end(1);
    expect(child(1).signals).toEqual(["SIGTERM"]);
    await host.advance(4999);
    expect(child(1).signals).toEqual(["SIGTERM"]);
    await host.advance(1);
    expect(child(1).signals).toEqual(["SIGTERM", "SIGKILL"]);
    expect(await state(supervisor.finished)).toBe("running");
    child(1).end(null, "SIGKILL");
    expect(await state(supervisor.finished)).toMatchObject({ code: "ERR_TW_TOO_MANY_RESTARTS" });
  });

  it("starts a child per task", () => {
    const { children, supervisor } = stage(3, 100);
    expect(children.map(({ id }) => id)).toEqual([0, 1, 2]);
    expect([...supervisor.alive.keys()]).toEqual([0, 1, 2]);
  });

  it("is finished when all have exited with 0, and restarts none of them", async () => {
    const { supervisor, children, child, ended, logged } = stage(2, 100);
    child(0).end(0);
    expect(await state(supervisor.finished)).toBe("running");
    child(1).end(0);
    expect(await state(supervisor.finished)).toBe("finished");
    expect([children.length, ended]).toEqual([2, [0, 1]]);
    expect(logged[0]).toBe("info: child 0 (pid 100) exited normally");
  });

  it("restarts what crashed, with the same id, and says how it ended", () => {
    const { children, child, ended, logged } = stage(2, 100);
    child(1).end(3);
    child(0).end(null, "SIGKILL");
    expect(children.map(({ id }) => id)).toEqual([0, 1, 1, 0]);
    expect(logged).toEqual([
      "warn: child 1 (pid 101) exited with status 3, restarting",
      "warn: child 0 (pid 100) was ended by SIGKILL, restarting",
    ]);
    expect(ended).toEqual([]);
  });

  it.each([0, 1, 5])(
    "allows %i restarts and not one more; then stops the others, and fails",
    async (limit) => {
      const { supervisor, children, child, ended } = stage(2, limit);
      for (let i = 0; i < limit; i++) (children.at(-1) as Fake).end(1);
      expect(await state(supervisor.finished)).toBe("running");
      expect(children).toHaveLength(2 + limit);
      (children.at(-1) as Fake).end(1);
      expect(children).toHaveLength(2 + limit);
      expect(child(0).signals).toEqual(["SIGTERM"]);
      expect(await state(supervisor.finished)).toBe("running");
      child(0).end(null, "SIGTERM");
      expect(await state(supervisor.finished)).toMatchObject({ code: "ERR_TW_TOO_MANY_RESTARTS" });
      expect(ended.sort()).toEqual([0, 1]);
    },
  );

  it("restarts none after stop(), however they end", async () => {
    const { supervisor, children, child } = stage(3, 100);
    supervisor.stop("SIGTERM");
    expect(children.map(({ signals }) => signals)).toEqual([["SIGTERM"], ["SIGTERM"], ["SIGTERM"]]);
    child(0).end(0);
    child(1).end(null, "SIGTERM");
    supervisor.stop("SIGKILL");
    expect(children.map(({ signals }) => signals.length)).toEqual([1, 1, 2]);
    child(2).end(9);
    expect(children).toHaveLength(3);
    expect(await state(supervisor.finished)).toBe("finished");
  });

  it("tries again after a pause when the system cannot start a child", async () => {
    const { supervisor, children, child, logged, host, asked } = stage(
      2,
      2,
      (nth) => nth > 0 && nth < 3 && "EAGAIN",
    );
    expect(await state(supervisor.finished)).toBe("running");
    expect(asked()).toBe(2);
    await host.advance(999);
    expect(asked()).toBe(2);
    await host.advance(1);
    await host.advance(1000);
    expect(children.map(({ id }) => id)).toEqual([0, 1]);
    expect(logged).toEqual(Array(2).fill("warn: child 1 could not be started, trying again in 1000 ms"));
    expect([child(0).signals, asked(), host.pending]).toEqual([[], 4, 0]);
  });

  it("counts that as a restart, and gives the last error as the cause when they are used up", async () => {
    const { supervisor, child, ended, logged, host, asked } = stage(2, 2, (nth) => nth > 0 && "EMFILE");
    await host.advance(5000);
    expect([asked(), child(0).signals, ended]).toEqual([4, ["SIGTERM"], [1]]);
    expect(logged.at(-1)).toBe(
      "error: child 1 could not be started, and 2 restarts are used up: stopping the others",
    );
    child(0).end(0);
    expect(await state(supervisor.finished)).toMatchObject({
      code: "ERR_TW_TOO_MANY_RESTARTS",
      cause: { code: "EMFILE" },
    });
    expect(ended).toEqual([1, 0]);
  });

  it.each(["ERR_ACCESS_DENIED", "EACCES", "EPERM"])("gives up at once where it is %s", async (code) => {
    const { supervisor, ended, logged, asked } = stage(3, 100, () => code);
    expect(await state(supervisor.finished)).toMatchObject({ code: "ERR_TW_SPAWN", cause: { code } });
    expect([asked(), ended.sort()]).toEqual([3, [0, 1, 2]]);
    expect(logged.filter((line) => line.startsWith("error: "))).toEqual([
      "error: child 0 could not be started, and will not be: stopping the others",
    ]);
  });

  it.each([
    ["stop()", (supervisor: Supervisor) => supervisor.stop("SIGTERM")],
    ["stopRestarting()", (supervisor: Supervisor) => supervisor.stopRestarting()],
  ])("%s ends what waits to be tried again", async (_, stop) => {
    const { supervisor, ended, host, asked } = stage(2, 100, () => "EAGAIN");
    expect(await state(supervisor.finished)).toBe("running");
    stop(supervisor);
    expect(await state(supervisor.finished)).toBe("finished");
    await host.advance(5000);
    expect([asked(), ended]).toEqual([2, [0, 1]]);
  });

  it("stopRestarting() sends nothing", () => {
    const { supervisor, children, child } = stage(1, 100);
    supervisor.stopRestarting();
    child(0).end(1);
    expect([children.length, child(0).signals]).toEqual([1, []]);
  });
});

describe("exitStatus()", () => {
  it("is the code, or minus the signal's number", () => {
    expect(exitStatus(0, null)).toEqual({ code: 0, signal: undefined });
    expect(exitStatus(7, null)).toEqual({ code: 7, signal: undefined });
    expect(exitStatus(null, "SIGKILL")).toEqual({ code: -9, signal: "SIGKILL" });
    expect(exitStatus(null, "SIGTERM")).toEqual({ code: -15, signal: "SIGTERM" });
  });
});
