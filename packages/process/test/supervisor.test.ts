import type { Logger } from "@tw/util";
import { describe, expect, it } from "vitest";
import { exitStatus } from "../src/exit-status.js";
import { type Child, Supervisor } from "../src/supervisor.js";

interface Fake extends Child {
  readonly id: number;
  readonly signals: string[];
  end(code: number | null, signal?: string): void;
}

function stage(count: number, maxRestarts: number, refuse: (nth: number) => boolean = () => false) {
  const children: Fake[] = [];
  const ended: number[] = [];
  const logged: string[] = [];
  let asked = 0;
  const at = (level: string) => (first: unknown, message?: string) => {
    logged.push(`${level}: ${message ?? String(first)}`);
  };
  const logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") } as Logger;
  const supervisor = new Supervisor({
    count,
    maxRestarts,
    logger,
    spawn(id, onExit) {
      if (refuse(asked++)) throw new Error("EAGAIN");
      const signals: string[] = [];
      const end = (code: number | null, signal?: string) => onExit(exitStatus(code, signal ?? null));
      const child = { id, pid: 100 + children.length, signals, kill: (s: string) => signals.push(s), end };
      children.push(child as Fake);
      return child as Fake;
    },
    onTaskEnd: (id) => ended.push(id),
  });
  supervisor.start();
  const child = (n: number) => children[n] as Fake;
  return { supervisor, children, child, ended, logged };
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

  it("tries again when a child cannot be started, within the same limit", async () => {
    const again = stage(1, 2, (nth) => nth < 2);
    expect(await state(again.supervisor.finished)).toBe("running");
    expect(again.children).toHaveLength(1);
    expect(again.logged.filter((line) => line === "error: child 0 could not be started")).toHaveLength(2);
    const never = stage(1, 2, () => true);
    expect(await state(never.supervisor.finished)).toMatchObject({ code: "ERR_TW_TOO_MANY_RESTARTS" });
    const one = stage(2, 0, (nth) => nth === 1);
    expect(await state(one.supervisor.finished)).toBe("running");
    expect(one.child(0).signals).toEqual(["SIGTERM"]);
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
