import { describe, expect, it } from "vitest";
import { Event } from "../src/index.js";
import { outcome, virtualStage } from "./support.js";

const stage = virtualStage();

describe("Event", () => {
  it("set() wakes all, and later waits do not wait", async () => {
    const event = new Event();
    expect(event.isSet).toBe(false);
    const seen = [outcome(event.wait()), outcome(event.wait())];
    expect(event.waiting).toBe(2);
    event.set();
    event.set();
    await stage.host.advance(0);
    expect(seen).toEqual([{ value: undefined }, { value: undefined }]);
    expect([event.isSet, event.waiting]).toEqual([true, 0]);
    await event.wait({ timeoutMs: 0 });
  });

  it("set() and clear() at once still wakes who waited, and nobody later", async () => {
    const event = new Event();
    const before = outcome(event.wait());
    event.set();
    event.clear();
    const after = outcome(event.wait());
    await stage.host.advance(0);
    expect([before, after, event.isSet]).toEqual([{ value: undefined }, {}, false]);
  });

  it("wait() rejects with TimeoutError at its time, with 0 at once", async () => {
    const event = new Event();
    const seen = outcome(event.wait({ timeoutMs: 20 }));
    await stage.host.advance(19);
    expect(seen).toEqual({});
    await stage.host.advance(1);
    expect(seen.error).toMatchObject({ code: "ERR_TW_TIMEOUT", timeoutMs: 20 });
    await expect(event.wait({ timeoutMs: 0 })).rejects.toMatchObject({ code: "ERR_TW_TIMEOUT" });
  });

  it("wait() rejects with the reason of an aborted signal, also when it is set", async () => {
    const event = new Event();
    const controller = new AbortController();
    const seen = outcome(event.wait({ signal: controller.signal }));
    controller.abort("gone");
    event.set();
    await stage.host.advance(0);
    expect(seen).toEqual({ error: "gone" });
    await expect(event.wait({ signal: controller.signal })).rejects.toBe("gone");
  });

  it("wait() throws on bad options also when it is set", () => {
    const event = new Event();
    event.set();
    expect(() => event.wait({ timeoutMs: Number.NaN })).toThrow(RangeError);
    expect(() => event.wait({ signal: 1 as never })).toThrow(TypeError);
  });
});
