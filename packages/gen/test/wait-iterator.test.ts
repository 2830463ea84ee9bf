import { describe, expect, expectTypeOf, it } from "vitest";
import { TimeoutError, WaitIterator, WaitIteratorError } from "../src/index.js";
import { outcome, virtualStage } from "./support.js";

const stage = virtualStage();

describe("WaitIterator", () => {
  it("gives results as they come, with position and promise", async () => {
    const [slow, fast] = [stage.after(20, "slow"), stage.after(10, "fast")];
    const iterator = new WaitIterator(slow, fast);
    expect([iterator.currentIndex, iterator.currentFuture, iterator.done()]).toEqual([
      undefined,
      undefined,
      false,
    ]);
    const got: unknown[] = [];
    await stage.host.run(async () => {
      while (!iterator.done())
        got.push([await iterator.next(), iterator.currentIndex, iterator.currentFuture]);
    });
    expect(got).toEqual([
      ["fast", 1, fast],
      ["slow", 0, slow],
    ]);
    expectTypeOf(iterator.currentIndex).toEqualTypeOf<number | undefined>();
  });

  it("of a record gives keys", async () => {
    const iterator = new WaitIterator({ south: stage.after(20, "s"), north: stage.after(10, "n") });
    const got: unknown[] = [];
    await stage.host.run(async () => {
      for await (const value of iterator) got.push([iterator.currentIndex, value]);
    });
    expect(got).toEqual([
      ["north", "n"],
      ["south", "s"],
    ]);
    expectTypeOf(iterator.currentIndex).toEqualTypeOf<"north" | "south" | undefined>();
  });

  it("of nothing stops at once", async () => {
    for (const iterator of [new WaitIterator(), new WaitIterator({})]) {
      expect(iterator.done()).toBe(true);
      for await (const _ of iterator) expect.fail("nothing to give");
      expect(() => iterator.next()).toThrow(WaitIteratorError);
    }
  });

  it("a failure makes its own step throw, and the rest is still to be had", async () => {
    const iterator = new WaitIterator<unknown>(stage.failing(10, new Error("own")), stage.after(20, 2));
    const seen = outcome(iterator.next());
    await stage.host.advance(10);
    expect([seen.error, iterator.currentIndex]).toEqual([new Error("own"), 0]);
    await expect(stage.host.run(() => iterator.next())).resolves.toBe(2);
    expect(iterator.done()).toBe(true);
  });

  it("a loop that was left may be begun again", async () => {
    const iterator = new WaitIterator(stage.after(3, 3), stage.after(1, 1), stage.after(2, 2));
    const got: number[] = [];
    await stage.host.run(async () => {
      for await (const value of iterator) {
        got.push(value);
        break;
      }
      for await (const value of iterator) got.push(value);
    });
    expect(got).toEqual([1, 2, 3]);
  });

  it("a timed-out or aborted next() loses no result", async () => {
    const iterator = new WaitIterator(stage.after(20, "kept"));
    const late = outcome(iterator.next({ timeoutMs: 10 }));
    await stage.host.advance(10);
    expect(late.error).toBeInstanceOf(TimeoutError);
    const controller = new AbortController();
    const aborted = outcome(iterator.next({ signal: controller.signal }));
    controller.abort("gone");
    await stage.host.advance(10);
    expect(aborted).toEqual({ error: "gone" });
    await expect(iterator.next({ signal: AbortSignal.abort("before") })).rejects.toBe("before");
    await expect(iterator.next({ timeoutMs: 0 })).resolves.toBe("kept");
  });

  it("takes one result of a thenable that settles twice, and a failure of one whose then() throws", async () => {
    // biome-ignore lint/suspicious/noThenProperty: thenables of somebody else
    const twice = { then: (resolve: (value: string) => void) => [resolve("a"), resolve("b")] };
    const broken = {
      // biome-ignore lint/suspicious/noThenProperty: as above
      then: () => {
        throw new Error("broken");
      },
    };
    const iterator = new WaitIterator<string>(
      twice as unknown as PromiseLike<string>,
      broken as unknown as PromiseLike<string>,
      stage.after(10, "slow"),
    );
    expect(await iterator.next()).toBe("a");
    expect(iterator.currentFuture).toBe(twice);
    await expect(iterator.next()).rejects.toThrow("broken");
    await expect(stage.host.run(() => iterator.next())).resolves.toBe("slow");
    expect(iterator.done()).toBe(true);
  });

  it("items() ends the loop at its signal, or when one wait lasts too long, and loses nothing", async () => {
    const iterator = new WaitIterator(stage.after(10, 1), stage.after(30, 2), stage.after(60, 3));
    const got: number[] = [];
    const take = async (options: Parameters<typeof iterator.items>[0]) => {
      for await (const value of iterator.items(options)) got.push(value);
    };
    const late = outcome(take({ timeoutMs: 15 }));
    await stage.host.advance(25);
    expect([late.error, got]).toEqual([expect.any(TimeoutError), [1]]);
    const controller = new AbortController();
    const aborted = outcome(take({ signal: controller.signal, timeoutMs: 1000 }));
    await stage.host.advance(10);
    controller.abort("enough");
    await stage.host.advance(0);
    expect([aborted, got]).toEqual([{ error: "enough" }, [1, 2]]);
    await stage.host.run(() => take({ signal: new AbortController().signal }));
    expect([iterator.done(), got]).toEqual([true, [1, 2, 3]]);
  });

  it("next() and items() throw TypeError on options that are none, at once", () => {
    const iterator = new WaitIterator(Promise.resolve(1));
    const takes: readonly ((options: unknown) => unknown)[] = [
      (options) => iterator.next(options as never),
      (options) => iterator.items(options as never),
    ];
    for (const take of takes) {
      expect(() => take(20)).toThrow(/got 20: give { timeoutMs: 20 }$/);
      expect(() => take(null)).toThrow(TypeError);
      expect(() => take({ timeoutMs: -1 })).toThrow(RangeError);
    }
  });

  it("refuses a second next() while one is pending", async () => {
    const iterator = new WaitIterator(stage.after(10, 1), stage.after(20, 2));
    const first = iterator.next();
    expect(() => iterator.next()).toThrow(expect.objectContaining({ code: "ERR_TW_WAIT_ITERATOR" }));
    await expect(stage.host.run(() => first)).resolves.toBe(1);
  });

  it("throws TypeError on a record beside promises, and on anything else", () => {
    const promise = Promise.resolve(1);
    expect(() => new WaitIterator(promise, { a: promise } as never)).toThrow(TypeError);
    expect(() => new WaitIterator({ a: promise } as never, promise)).toThrow(TypeError);
    expect(() => new WaitIterator(1 as never)).toThrow(TypeError);
    expect(() => new WaitIterator({ a: 1 } as never)).toThrow(TypeError);
    expect(() => new WaitIterator([promise] as never)).toThrow(TypeError);
  });
});
