// What is to happen in the next turn, where there may be none.
import { IOLoop } from "@tw/ioloop";
import { nullLogger } from "@tw/log";
import { describe, expect, it } from "vitest";
import { inNextTurn } from "../src/next-turn.js";

describe("inNextTurn()", () => {
  it.each(["open", "closed"])("calls later on a loop that is %s, and logs what is thrown", async (state) => {
    const thrown = new Error("no");
    const logged: unknown[] = [];
    const error = (first: unknown) => void logged.push((first as { err: unknown }).err);
    const loop = new IOLoop({ logger: { ...nullLogger, error } });
    if (state === "closed") await loop.close();
    let called = false;
    inNextTurn(loop, () => {
      called = true;
      throw thrown;
    });
    expect(called).toBe(false);
    while (!called || logged.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(logged).toEqual([thrown]);
    await loop.close();
  });

  it.each(["open", "closed"])("goes on where the logger throws too, on a loop that is %s", async (state) => {
    let asked = 0;
    const error = () => {
      asked++;
      throw new Error("no logging today");
    };
    const loop = new IOLoop({ logger: { ...nullLogger, error } });
    if (state === "closed") await loop.close();
    inNextTurn(loop, () => expect.fail("no"));
    while (asked === 0) await new Promise((resolve) => setImmediate(resolve));
    await loop.close();
    expect(asked).toBe(1);
  });
});
