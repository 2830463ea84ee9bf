import { AsyncLocalStorage } from "node:async_hooks";
import { sleep } from "@tw/gen";
import { describe, expect, it } from "vitest";
import { BoundedSemaphore, Lock, Semaphore } from "../src/index.js";
import { outcome, virtualStage } from "./support.js";

const stage = virtualStage();

describe("Semaphore", () => {
  it("lets in as many as it has permits, the next when one is released, in order", async () => {
    const semaphore = new Semaphore(2);
    const order: number[] = [];
    for (let i = 0; i < 5; i++) semaphore.acquire().then(() => order.push(i));
    await stage.host.advance(0);
    expect([order, semaphore.value, semaphore.waiting]).toEqual([[0, 1], 0, 3]);
    semaphore.release();
    await stage.host.advance(0);
    expect(order).toEqual([0, 1, 2]);
    semaphore.release();
    semaphore.release();
    semaphore.release();
    await stage.host.advance(0);
    expect([order, semaphore.value]).toEqual([[0, 1, 2, 3, 4], 1]);
  });

  it("nobody overtakes who was woken", async () => {
    const semaphore = new Semaphore(1);
    await semaphore.acquire();
    const first = outcome(semaphore.acquire());
    semaphore.release();
    const overtaking = outcome(semaphore.acquire({ timeoutMs: 0 }));
    await stage.host.advance(0);
    expect(first.value).toBeDefined();
    expect(overtaking.error).toMatchObject({ code: "ERR_TW_TIMEOUT" });
  });

  it("release() without acquire() adds a permit", async () => {
    const semaphore = new Semaphore(0);
    semaphore.release();
    expect(semaphore.value).toBe(1);
    await semaphore.acquire({ timeoutMs: 0 });
  });

  it("throws on a value that is no count of permits", () => {
    for (const value of [-1, 0.5, Number.NaN]) expect(() => new Semaphore(value)).toThrow(RangeError);
    expect(() => new Semaphore(null as never)).toThrow(TypeError);
    expect(() => new BoundedSemaphore(-1)).toThrow(RangeError);
  });
});

describe("BoundedSemaphore", () => {
  it("release() above the value it began with throws, and changes nothing", async () => {
    const semaphore = new BoundedSemaphore(2);
    expect(() => semaphore.release()).toThrow(expect.objectContaining({ code: "ERR_TW_NOT_ACQUIRED" }));
    await semaphore.acquire();
    semaphore.release();
    expect(() => semaphore.release()).toThrow(/BoundedSemaphore cannot be released/);
    expect(semaphore.value).toBe(2);
  });

  it("a guard's release counts as one", async () => {
    const semaphore = new BoundedSemaphore(1);
    const guard = await semaphore.acquire();
    guard.release();
    expect(() => semaphore.release()).toThrow(expect.objectContaining({ code: "ERR_TW_NOT_ACQUIRED" }));
  });
});

// What holds for everything that is acquired.
const KINDS = [
  ["Semaphore", () => new Semaphore(1)],
  ["BoundedSemaphore", () => new BoundedSemaphore(1)],
  ["Lock", () => new Lock()],
] as const;

describe.each(KINDS)("%s, acquired", (_, make) => {
  const free = async (lock: Semaphore | Lock) =>
    await lock.acquire({ timeoutMs: 0 }).then(
      (guard) => {
        guard.release();
        return true;
      },
      () => false,
    );

  it("is released at the end of an `await using` block, also when it throws", async () => {
    const lock = make();
    {
      await using guard = await lock.acquire();
      expect([guard.held, await free(lock)]).toEqual([true, false]);
    }
    expect(await free(lock)).toBe(true);
    const failing = async () => {
      using _guard = await lock.acquire();
      throw new Error("inside");
    };
    await expect(failing()).rejects.toThrow("inside");
    expect(await free(lock)).toBe(true);
  });

  it("a guard disposed twice releases once", async () => {
    const lock = make();
    const guard = await lock.acquire();
    const [second, third] = [outcome(lock.acquire()), outcome(lock.acquire())];
    guard.release();
    await guard[Symbol.asyncDispose]();
    guard[Symbol.dispose]();
    await stage.host.advance(0);
    expect([guard.held, second.value !== undefined, third]).toEqual([false, true, {}]);
  });

  it("with() gives the result, and releases whatever the function did", async () => {
    const lock = make();
    await expect(lock.with(() => 1)).resolves.toBe(1);
    await expect(lock.with(async () => "two")).resolves.toBe("two");
    const thrown = lock.with(() => {
      throw new Error("sync");
    });
    await expect(thrown).rejects.toThrow("sync");
    await expect(lock.with(() => Promise.reject(new Error("async")))).rejects.toThrow("async");
    expect(await free(lock)).toBe(true);
    expect(() => lock.with(1 as never)).toThrow(TypeError);
    expect(await free(lock)).toBe(true);
  });

  it("with() runs one function after the other", async () => {
    const lock = make();
    let inside = 0;
    const most: number[] = [];
    const runs = [1, 2, 3].map(() =>
      lock.with(async () => {
        most.push(++inside);
        await sleep(10);
        inside--;
      }),
    );
    await stage.host.run(() => Promise.all(runs));
    expect([most, stage.loop.time()]).toEqual([[1, 1, 1], 30]);
  });

  it("with() does not call a function that got no permit", async () => {
    const lock = make();
    await lock.acquire();
    let called = false;
    const late = lock.with(() => (called = true), { timeoutMs: 5 });
    await expect(stage.host.run(() => late)).rejects.toMatchObject({ code: "ERR_TW_TIMEOUT" });
    expect(called).toBe(false);
  });

  it("who times out or gives up takes no permit along, also in the turn of the release", async () => {
    const lock = make();
    const guard = await lock.acquire();
    const controller = new AbortController();
    const late = outcome(lock.acquire({ timeoutMs: 10 }));
    const aborted = outcome(lock.acquire({ signal: controller.signal }));
    const next = outcome(lock.acquire());
    stage.loop.callLater(10, () => {
      controller.abort("gone");
      guard.release();
    });
    await stage.host.advance(10);
    expect(late.error).toMatchObject({ code: "ERR_TW_TIMEOUT", timeoutMs: 10 });
    expect(aborted).toEqual({ error: "gone" });
    expect(next.value?.held).toBe(true);
    next.value?.release();
    expect(await free(lock)).toBe(true);
  });

  it("who was handed the permit keeps it when its signal aborts after, in the same turn", async () => {
    const lock = make();
    const guard = await lock.acquire();
    const controller = new AbortController();
    const waiting = outcome(lock.acquire({ signal: controller.signal, timeoutMs: 10 }));
    guard.release();
    controller.abort("too late");
    await stage.host.advance(20);
    expect(waiting.value?.held).toBe(true);
  });

  it("an aborted signal takes nothing, though it is free", async () => {
    const lock = make();
    await expect(lock.acquire({ signal: AbortSignal.abort("no") })).rejects.toBe("no");
    expect(await free(lock)).toBe(true);
  });

  it("acquire() throws on bad options though it is free, and takes nothing", async () => {
    const lock = make();
    expect(() => lock.acquire({ timeoutMs: -1 })).toThrow(RangeError);
    expect(() => lock.acquire({ signal: {} as never })).toThrow(TypeError);
    expect(await free(lock)).toBe(true);
  });

  it("who waited goes on in its own AsyncLocalStorage", async () => {
    const als = new AsyncLocalStorage<string>();
    const lock = make();
    const guard = await lock.acquire();
    const store = als.run("mine", () => lock.with(() => als.getStore()));
    als.run("theirs", () => guard.release());
    await expect(store).resolves.toBe("mine");
  });
});
