import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { NodeHost } from "../src/index.js";
import { hostCases, VirtualHost } from "../src/testing.js";

describe("NodeHost passes the suite of LoopHost", () => {
  for (const { name, run } of hostCases) {
    it(name, async () => {
      const host = new NodeHost();
      const turn = (at: number) => new Promise<void>((resolve) => host.schedule(at, resolve));
      const pass = async (ms: number) => {
        await turn(host.now() + ms);
        await turn(0); // behind what a busy machine has not come to
      };
      await run({ host, pass });
    });
  }
});

describe("VirtualHost passes the suite of LoopHost", () => {
  for (const { name, run } of hostCases) {
    it(name, async () => {
      const host = new VirtualHost();
      await run({ host, pass: (ms) => host.advance(ms) });
    });
  }
});

describe("NodeHost", () => {
  it("runs an overdue turn after I/O had its chance, not from a microtask", async () => {
    const log: string[] = [];
    const ran = new Promise<void>((resolve) => {
      new NodeHost().schedule(0, () => {
        log.push("turn");
        resolve();
      });
    });
    process.nextTick(() => log.push("tick"));
    await Promise.resolve();
    log.push("microtask");
    await ran;
    expect(log.at(-1)).toBe("turn");
  });

  it("keeps no store of whoever happened to schedule a turn, or to start the loop", async () => {
    const als = new AsyncLocalStorage<string>();
    const host = new NodeHost();
    const seen = await als.run("scheduler", () =>
      Promise.all(
        [0, host.now() + 2].map(
          (at) => new Promise((resolve) => host.schedule(at, () => resolve(als.getStore()))),
        ),
      ),
    );
    expect(seen).toEqual([undefined, undefined]);

    const release = als.run("starter", () => host.hold(["SIGUSR2"], () => seen.push(als.getStore())));
    process.emit("SIGUSR2");
    release();
    expect(process.listenerCount("SIGUSR2")).toBe(0);
    expect(seen).toHaveLength(3);
  });

  it("does not fire at once what lies further ahead than Node's timers reach", async () => {
    const host = new NodeHost();
    let runs = 0;
    const turn = host.schedule(host.now() + 2 ** 40, () => runs++);
    await new Promise<void>((resolve) => host.schedule(host.now() + 5, resolve));
    turn.cancel();
    expect(runs).toBe(0);
  });
});
