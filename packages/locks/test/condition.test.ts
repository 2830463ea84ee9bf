import { describe, expect, it } from "vitest";
import { Condition } from "../src/index.js";
import { outcome, virtualStage } from "./support.js";

const stage = virtualStage();

describe("Condition", () => {
  it("notify(2) wakes the first two of three, in order", async () => {
    const condition = new Condition();
    const order: string[] = [];
    for (const name of ["a", "b", "c"]) condition.wait().then((told) => order.push(`${name} ${told}`));
    condition.notify(2);
    await stage.host.advance(0);
    expect([order, condition.waiting]).toEqual([["a true", "b true"], 1]);
    condition.notifyAll();
    await stage.host.advance(0);
    expect([order.at(-1), condition.waiting]).toEqual(["c true", 0]);
  });

  it("wait() gives false when its time is up, not before, and is not counted by notify()", async () => {
    const condition = new Condition();
    const [impatient, patient] = [outcome(condition.wait({ timeoutMs: 20 })), outcome(condition.wait())];
    await stage.host.advance(19);
    expect(impatient).toEqual({});
    await stage.host.advance(1);
    expect(impatient).toEqual({ value: false });
    condition.notify();
    await stage.host.advance(0);
    expect([impatient, patient]).toEqual([{ value: false }, { value: true }]);
  });

  it("wait() with a timeout of 0 gives false at once", async () => {
    expect(await new Condition().wait({ timeoutMs: 0 })).toBe(false);
    expect(stage.loop.time()).toBe(0);
  });

  it("wait() rejects at an abort, and the notification goes to the next", async () => {
    const condition = new Condition();
    const controller = new AbortController();
    const [first, second] = [
      outcome(condition.wait({ signal: controller.signal })),
      outcome(condition.wait()),
    ];
    controller.abort("gone");
    condition.notify();
    await stage.host.advance(0);
    expect([first, second]).toEqual([{ error: "gone" }, { value: true }]);
  });

  it("keeps no notification that nobody waited for", async () => {
    const condition = new Condition();
    condition.notify();
    condition.notifyAll();
    expect(await condition.wait({ timeoutMs: 0 })).toBe(false);
  });

  it("who waits again when woken is not woken by the same notifyAll()", async () => {
    const condition = new Condition();
    let wakes = 0;
    const again = async () => {
      while (await condition.wait({ timeoutMs: 10 })) wakes++;
    };
    const done = again();
    condition.notifyAll();
    await stage.host.run(() => done);
    expect(wakes).toBe(1);
  });

  it("notify() throws on what is no count, and wakes nobody", () => {
    const condition = new Condition();
    outcome(condition.wait());
    for (const n of [-1, 0.5, Number.NaN]) expect(() => condition.notify(n)).toThrow(RangeError);
    expect(() => condition.notify("1" as never)).toThrow(TypeError);
    expect(() => condition.wait({ timeoutMs: -1 })).toThrow(RangeError);
    expect(condition.waiting).toBe(1);
  });
});
