import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { IOLoop } from "../src/index.js";
import { virtualLoop } from "../src/testing.js";

const als = new AsyncLocalStorage<string>();

/** Waits for real turns until nothing of the loop can be left. */
async function settle(loop: IOLoop): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise<void>((resolve) => loop.callLater(1, resolve));
}

describe("stored functions run in the context of whoever stored them", () => {
  it("callbacks of one batch, each in its own", async () => {
    const loop = new IOLoop();
    const seen: unknown[] = [];
    const see = () => seen.push(als.getStore());
    als.run("a", () => loop.addCallback(see));
    loop.addCallback(see);
    als.run("b", () => {
      loop.addCallback(see);
      als.run("c", () => loop.addCallback(see));
      loop.addCallback(see);
    });
    loop.addCallback(see);
    await settle(loop);
    expect(seen).toEqual(["a", undefined, "b", "c", "b", undefined]);
  });

  it("timers under one host turn, each in its own, whoever armed it", async () => {
    const loop = new IOLoop();
    const seen: unknown[] = [];
    const see = () => seen.push(als.getStore());
    als.run("armed it", () => loop.callLater(1, see));
    loop.callLater(1, see);
    als.run("late", () => loop.callAt(loop.time() + 1, see));
    await settle(loop);
    expect(seen).toEqual(["armed it", undefined, "late"]);
  });

  it("afterPoll, in both of its ways", async () => {
    const loop = new IOLoop();
    const seen: unknown[] = [];
    als.run("outside", () => loop.afterPoll(() => seen.push(als.getStore())));
    als.run("inside", () => loop.addCallback(() => loop.afterPoll(() => seen.push(als.getStore()))));
    await settle(loop);
    expect(seen.sort()).toEqual(["inside", "outside"]);
  });

  it("and their continuations too", async () => {
    const loop = new IOLoop();
    const seen: unknown[] = [];
    als.run("a", () =>
      loop.addCallback(async () => {
        await Promise.resolve();
        seen.push(als.getStore());
      }),
    );
    loop.addCallback(async () => {
      await Promise.resolve();
      seen.push(als.getStore());
    });
    await settle(loop);
    expect(seen).toEqual(["a", undefined]);
  });

  it("failures are logged in the context of what failed", async () => {
    const seen: unknown[] = [];
    const error = () => seen.push(als.getStore());
    const { loop, host } = virtualLoop({
      logger: { debug: error, info: error, warn: error, error } as never,
    });
    als.run("thrown", () =>
      loop.addCallback(() => {
        throw new Error("x");
      }),
    );
    als.run("rejected", () => loop.addCallback(() => Promise.reject(new Error("y"))));
    await host.advance(0);
    expect(seen).toEqual(["thrown", "rejected"]);
  });
});

describe("contexts do not leak", () => {
  it("from one callback or timer to the next through enterWith()", async () => {
    const loop = new IOLoop();
    const seen: unknown[] = [];
    loop.addCallback(() => als.enterWith("leak"));
    loop.addCallback(() => seen.push(als.getStore()));
    loop.callLater(1, () => als.enterWith("leak"));
    loop.callLater(1, () => seen.push(als.getStore()));
    await settle(loop);
    expect(seen).toEqual([undefined, undefined]);
  });

  it("from who armed the host's turn to what the host runs", async () => {
    const loop = new IOLoop();
    const seen: unknown[] = [];
    const spy = { ...loop.logger, error: () => seen.push(als.getStore()) };
    const other = new IOLoop({ logger: spy as never });
    als.run("armed it", () => {
      other.addCallback(() => undefined);
      other.callLater(1, () => undefined);
    });
    other.addCallback(() => {
      throw new Error("x");
    });
    await settle(loop);
    expect(seen).toEqual([undefined]);
  });
});
