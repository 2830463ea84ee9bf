import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { LifoQueue, PriorityQueue, Queue } from "../src/index.js";
import { outcome, virtualStage } from "./support.js";

const stage = virtualStage();
const EMPTY = expect.objectContaining({ code: "ERR_TW_QUEUE_EMPTY" });
const FULL = expect.objectContaining({ code: "ERR_TW_QUEUE_FULL" });

describe("Queue", () => {
  it("gives items in the order they were put", async () => {
    const queue = new Queue<number>();
    for (let i = 0; i < 1000; i++) queue.putNowait(i);
    const got: number[] = [];
    for (let i = 0; i < 500; i++) got.push(queue.getNowait());
    for (let i = 1000; i < 1500; i++) await queue.put(i);
    while (!queue.empty) got.push(await queue.get());
    expect(got).toEqual(Array.from({ length: 1500 }, (_, i) => i));
  });

  it("says what it holds", () => {
    const queue = new Queue<string>(2);
    const facts = () => [queue.size, queue.empty, queue.full, queue.unfinished];
    expect([queue.maxSize, facts()]).toEqual([2, [0, true, false, 0]]);
    queue.putNowait("a");
    expect(facts()).toEqual([1, false, false, 1]);
    queue.putNowait("b");
    expect(facts()).toEqual([2, false, true, 2]);
    queue.getNowait();
    expect(facts()).toEqual([1, false, false, 2]);
    queue.taskDone();
    expect(facts()).toEqual([1, false, false, 1]);
  });

  it("takes maxSize items and not one more; 0 is no limit", () => {
    const queue = new Queue<number>(3);
    for (let i = 0; i < 3; i++) queue.putNowait(i);
    expect(() => queue.putNowait(3)).toThrow(FULL);
    expect(queue.size).toBe(3);
    const unlimited = new Queue<number>();
    for (let i = 0; i < 10_000; i++) unlimited.putNowait(i);
    expect(unlimited.full).toBe(false);
  });

  it("getNowait() where there is nothing throws", () => {
    expect(() => new Queue().getNowait()).toThrow(EMPTY);
  });

  it("put() waits for room, in order, and the items come in that order", async () => {
    const queue = new Queue<number>(1);
    const order: number[] = [];
    for (let i = 0; i < 4; i++) queue.put(i).then(() => order.push(i));
    await stage.host.advance(0);
    expect([order, queue.size]).toEqual([[0], 1]);
    expect([queue.getNowait(), queue.getNowait()]).toEqual([0, 1]);
    await stage.host.advance(0);
    expect(order).toEqual([0, 1, 2]);
    expect([await queue.get(), await queue.get(), queue.empty]).toEqual([2, 3, true]);
  });

  it("get() waits for items, in order", async () => {
    const queue = new Queue<string>();
    const seen = [outcome(queue.get()), outcome(queue.get()), outcome(queue.get())];
    queue.putNowait("a");
    await queue.put("b");
    await stage.host.advance(0);
    expect(seen).toEqual([{ value: "a" }, { value: "b" }, {}]);
    expect(queue.empty).toBe(true);
  });

  it("nobody overtakes a getter that was handed its item, or a putter that waits", async () => {
    const queue = new Queue<string>(1);
    const first = outcome(queue.get());
    queue.putNowait("a");
    expect(() => queue.getNowait()).toThrow(EMPTY);
    queue.putNowait("b");
    const waiting = outcome(queue.put("c"));
    expect(queue.getNowait()).toBe("b");
    expect(() => queue.putNowait("d")).toThrow(FULL);
    await stage.host.advance(0);
    expect([first, waiting, queue.getNowait()]).toEqual([{ value: "a" }, { value: undefined }, "c"]);
  });

  it("keeps undefined, null and NaN as items like any other", async () => {
    const queue = new Queue<unknown>(1);
    const items = [undefined, null, Number.NaN, 0];
    for (const item of items) outcome(queue.put(item));
    const got: unknown[] = [];
    while (!queue.empty) got.push(queue.getNowait());
    expect(got).toEqual(items);
  });

  it("put() whose time is up leaves its item out, with 0 at once", async () => {
    const queue = new Queue<string>(1);
    queue.putNowait("a");
    const late = outcome(queue.put("late", { timeoutMs: 10 }));
    await expect(queue.put("now", { timeoutMs: 0 })).rejects.toMatchObject({ code: "ERR_TW_TIMEOUT" });
    await stage.host.advance(9);
    expect(late).toEqual({});
    await stage.host.advance(1);
    expect(late.error).toMatchObject({ code: "ERR_TW_TIMEOUT", timeoutMs: 10 });
    expect([queue.getNowait(), queue.empty, queue.unfinished]).toEqual(["a", true, 1]);
  });

  it("get() whose time is up takes nothing, with 0 at once", async () => {
    const queue = new Queue<string>();
    const late = outcome(queue.get({ timeoutMs: 10 }));
    await expect(queue.get({ timeoutMs: 0 })).rejects.toMatchObject({ code: "ERR_TW_TIMEOUT" });
    await stage.host.advance(10);
    expect(late.error).toMatchObject({ code: "ERR_TW_TIMEOUT", timeoutMs: 10 });
    queue.putNowait("kept");
    expect(queue.size).toBe(1);
    await expect(queue.get({ timeoutMs: 0 })).resolves.toBe("kept");
  });

  it.each(["put first", "timeout first"])(
    "loses no item in the turn of a getter's timeout: %s",
    async (order) => {
      const queue = new Queue<string>();
      const put = () => stage.loop.callLater(10, () => queue.putNowait("item"));
      if (order === "put first") put();
      const seen = outcome(queue.get({ timeoutMs: 10 }));
      if (order !== "put first") put();
      await stage.host.advance(10);
      if (order === "put first") expect([seen, queue.size]).toEqual([{ value: "item" }, 0]);
      else expect([seen.error, queue.size]).toEqual([expect.objectContaining({ code: "ERR_TW_TIMEOUT" }), 1]);
    },
  );

  it("loses no item when a getter's signal aborts before or after the put, in one turn", async () => {
    const queue = new Queue<string>();
    const [before, after] = [new AbortController(), new AbortController()];
    const seen = [
      outcome(queue.get({ signal: before.signal })),
      outcome(queue.get({ signal: after.signal })),
    ];
    before.abort("gone");
    queue.putNowait("item");
    after.abort("too late");
    await stage.host.advance(0);
    expect(seen).toEqual([{ error: "gone" }, { value: "item" }]);
  });

  it("leaves the item of an aborted put out, and lets the next one in", async () => {
    const queue = new Queue<string>(1);
    queue.putNowait("a");
    const controller = new AbortController();
    const [aborted, next] = [outcome(queue.put("b", { signal: controller.signal })), outcome(queue.put("c"))];
    controller.abort("gone");
    const got = [queue.getNowait(), queue.getNowait()];
    await stage.host.advance(0);
    expect([aborted, next, got]).toEqual([{ error: "gone" }, { value: undefined }, ["a", "c"]]);
  });

  it("an aborted signal puts nothing and takes nothing, though it could", async () => {
    const queue = new Queue<string>();
    const signal = AbortSignal.abort("no");
    await expect(queue.put("a", { signal })).rejects.toBe("no");
    queue.putNowait("b");
    await expect(queue.get({ signal })).rejects.toBe("no");
    expect([queue.size, queue.unfinished]).toEqual([1, 1]);
  });

  it("join() resolves after as many taskDone() as items, at once without items", async () => {
    const queue = new Queue<number>();
    await queue.join({ timeoutMs: 0 });
    queue.putNowait(1);
    queue.putNowait(2);
    const joined = [outcome(queue.join()), outcome(queue.join())];
    queue.getNowait();
    queue.getNowait();
    queue.taskDone();
    await stage.host.advance(0);
    expect(joined).toEqual([{}, {}]);
    queue.taskDone();
    await stage.host.advance(0);
    expect(joined).toEqual([{ value: undefined }, { value: undefined }]);
    expect(() => queue.taskDone()).toThrow(expect.objectContaining({ code: "ERR_TW_TASK_DONE" }));
  });

  it("join() can time out and be aborted; an item counts from when it is in the queue", async () => {
    const queue = new Queue<number>(1);
    queue.putNowait(1);
    outcome(queue.put(2));
    expect(queue.unfinished).toBe(1);
    queue.getNowait();
    expect(queue.unfinished).toBe(2);
    const late = outcome(queue.join({ timeoutMs: 10 }));
    const controller = new AbortController();
    const aborted = outcome(queue.join({ signal: controller.signal }));
    controller.abort("gone");
    await stage.host.advance(10);
    expect([late.error, aborted]).toEqual([
      expect.objectContaining({ code: "ERR_TW_TIMEOUT" }),
      { error: "gone" },
    ]);
  });

  it("for await gives items as they come, and takes none when it is left", async () => {
    const queue = new Queue<number>();
    const got: number[] = [];
    const reading = (async () => {
      for await (const item of queue) {
        got.push(item);
        if (item === 3) break;
      }
    })();
    for (const item of [1, 2, 3, 4]) stage.loop.callLater(item, () => queue.putNowait(item));
    await stage.host.run(() => reading);
    await stage.host.advance(10);
    expect([got, queue.size]).toEqual([[1, 2, 3], 1]);
  });

  it("items() ends by its signal or its timeout, and loses no item", async () => {
    const queue = new Queue<number>();
    const controller = new AbortController();
    const read = async (options: object) => {
      for await (const _ of queue.items(options));
    };
    const [aborted, late] = [outcome(read({ signal: controller.signal })), outcome(read({ timeoutMs: 10 }))];
    controller.abort("gone");
    await stage.host.advance(10);
    expect([aborted, late.error]).toEqual([
      { error: "gone" },
      expect.objectContaining({ code: "ERR_TW_TIMEOUT" }),
    ]);
    queue.putNowait(1);
    expect(queue.size).toBe(1);
    expect(() => queue.items({ timeoutMs: -1 })).toThrow(RangeError);
  });

  it("who waited goes on in its own AsyncLocalStorage", async () => {
    const als = new AsyncLocalStorage<string>();
    const queue = new Queue<number>();
    const store = als.run("mine", () => queue.get().then(() => als.getStore()));
    als.run("theirs", () => queue.putNowait(1));
    await expect(store).resolves.toBe("mine");
  });
});

describe.each([
  ["Queue", Queue],
  ["LifoQueue", LifoQueue],
  ["PriorityQueue", PriorityQueue],
])("%s", (_, Kind) => {
  it("throws on what is no size", () => {
    for (const size of [-1, 1.3, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => new Kind(size)).toThrow(RangeError);
    }
    for (const size of [null, "1"]) expect(() => new Kind(size as never)).toThrow(TypeError);
  });

  it("throws on bad options though it need not wait, and nothing changes", () => {
    const queue = new Kind<number>();
    expect(() => queue.put(1, { timeoutMs: -1 })).toThrow(RangeError);
    queue.putNowait(1);
    expect(() => queue.get({ timeoutMs: "1" as never })).toThrow(TypeError);
    expect(() => queue.join({ signal: 1 as never })).toThrow(TypeError);
    expect(queue.size).toBe(1);
  });

  it("throws TypeError on options that are none, says what was meant, and does not wait", () => {
    const full = new Kind<number>(1);
    full.putNowait(1);
    for (const queue of [new Kind<number>(1), full]) {
      const facts = () => [queue.size, queue.unfinished];
      const before = facts();
      const waits: readonly ((options: unknown) => unknown)[] = [
        (options) => queue.put(2, options as never),
        (options) => queue.get(options as never),
        (options) => queue.join(options as never),
        (options) => queue.items(options as never),
      ];
      for (const wait of waits) {
        expect(() => wait(20)).toThrow(
          new TypeError("options must be an object, got 20: give { timeoutMs: 20 }"),
        );
        expect(() => wait(AbortSignal.abort())).toThrow(/got an AbortSignal: give { signal }$/);
        for (const bad of [null, "x", [], () => 1]) expect(() => wait(bad)).toThrow(TypeError);
      }
      expect(facts()).toEqual(before);
    }
  });

  it("cannot be made with options that are none", () => {
    for (const bad of [null, 5, "x", [], () => 1]) expect(() => new Kind(0, bad as never)).toThrow(TypeError);
    expect(() => new Kind(0, null as never)).toThrow("options must be an object, got null");
    expect(() => new Kind(0, stage.loop as never)).toThrow(/got an IOLoop: give { loop }$/);
  });
});
