import { describe, expect, it } from "vitest";
import { Lock } from "../src/index.js";
import { outcome, virtualStage } from "./support.js";

const stage = virtualStage();

describe("Lock", () => {
  it("says who holds it and how many wait", async () => {
    const lock = new Lock();
    expect([lock.locked, lock.waiting]).toEqual([false, 0]);
    const guard = await lock.acquire();
    outcome(lock.acquire());
    expect([lock.locked, lock.waiting]).toEqual([true, 1]);
    guard.release();
    expect([lock.locked, lock.waiting]).toEqual([true, 0]);
    lock.release();
    expect(lock.locked).toBe(false);
  });

  it("release() when nobody holds it throws, and changes nothing", async () => {
    const lock = new Lock();
    expect(() => lock.release()).toThrow(expect.objectContaining({ code: "ERR_TW_NOT_ACQUIRED" }));
    await lock.acquire({ timeoutMs: 0 });
    lock.release();
    expect(() => lock.release()).toThrow(/Lock cannot be released/);
  });

  it("release() and then the guard's end take the lock from nobody else", async () => {
    const lock = new Lock();
    const guard = await lock.acquire();
    const [second, third] = [outcome(lock.acquire()), outcome(lock.acquire())];
    lock.release();
    guard.release();
    await stage.host.advance(0);
    expect([guard.held, second.value?.held, third]).toEqual([false, true, {}]);
  });

  it("is not reentrant: asking again waits", async () => {
    const lock = new Lock();
    const again = lock.with(() => lock.acquire({ timeoutMs: 10 }));
    await expect(stage.host.run(() => again)).rejects.toMatchObject({ code: "ERR_TW_TIMEOUT" });
    expect(lock.locked).toBe(false);
  });
});
