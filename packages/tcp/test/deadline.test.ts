import { getEventListeners } from "node:events";
import { virtualLoop } from "@tw/ioloop/testing";
import { describe, expect, it } from "vitest";
import { withDeadline } from "../src/deadline.js";

const late = new Error("late");
const expired = () => late;
const given = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

/** A loop and a caller's signal, and whether anything of ours is left with them. */
function world() {
  const { loop, host } = virtualLoop();
  const caller = new AbortController();
  const left = () => [loop.metrics().timers, getEventListeners(caller.signal, "abort").length];
  return { loop, host, caller, left };
}

describe("withDeadline()", () => {
  it("settles as its work does, and leaves neither timer nor listener behind", async () => {
    const { loop, caller, left } = world();
    const deadline = { timeoutMs: 1000, expired, signal: caller.signal };
    expect(await withDeadline(loop, deadline, async ({ signal }) => signal.aborted)).toBe(false);
    const broken = new Error("broken");
    await expect(withDeadline(loop, deadline, () => Promise.reject(broken))).rejects.toBe(broken);
    expect(left()).toEqual([0, 0]);
  });

  it("aborts its work with the reason that expired makes, after timeoutMs and not earlier", async () => {
    const { loop, host, left } = world();
    const waiting = withDeadline(loop, { timeoutMs: 1000, expired }, ({ signal }) => given(signal));
    await host.run(() => expect(waiting).rejects.toBe(late));
    expect([host.now(), ...left()]).toEqual([1000, 0, 0]);
  });

  it("aborts its work with the caller's reason, whatever time is left", async () => {
    const { loop, caller, left } = world();
    const deadline = { timeoutMs: 1000, expired, signal: caller.signal };
    const waiting = withDeadline(loop, deadline, ({ signal }) => given(signal));
    caller.abort("enough");
    await expect(waiting).rejects.toBe("enough");
    expect(left()).toEqual([0, 0]);
  });

  it("does not begin the work when the caller's signal is aborted already", async () => {
    const { loop, left } = world();
    let begun = false;
    const deadline = { timeoutMs: 1000, expired, signal: AbortSignal.abort("enough") };
    const waiting = withDeadline(loop, deadline, async () => {
      begun = true;
    });
    await expect(waiting).rejects.toBe("enough");
    expect([begun, ...left()]).toEqual([false, 0, 0]);
  });

  it("leaves nothing on the caller's signal where the loop is closed", async () => {
    const { loop, caller } = world();
    await loop.close();
    const deadline = { timeoutMs: 1000, expired, signal: caller.signal };
    await expect(withDeadline(loop, deadline, async () => "done")).rejects.toThrow();
    expect(getEventListeners(caller.signal, "abort")).toHaveLength(0);
  });

  it("has no limit where timeoutMs is 0", async () => {
    const { loop, left } = world();
    await withDeadline(loop, { timeoutMs: 0, expired }, async () => expect(left()).toEqual([0, 0]));
  });

  it("is over when its work is, not when time is", async () => {
    const { loop, host } = world();
    const slow = withDeadline(loop, { timeoutMs: 10, expired }, async ({ signal }) => {
      await new Promise<void>((resolve) => loop.callLater(500, resolve));
      throw signal.reason;
    });
    await host.run(() => expect(slow).rejects.toBe(late));
    expect(host.now()).toBe(500);
  });
});
