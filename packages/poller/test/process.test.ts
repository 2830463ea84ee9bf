// What only a process of its own can show: its end, its uncaught errors, its context, its descriptors.

import { expect, it } from "vitest";
import { native, runChild } from "./helpers.js";

native("process", () => {
  it("an exception in one sink reaches uncaughtException and loses no other event", async () => {
    const { code, out } = await runChild("exceptions");
    expect(code).toBe(0);
    const [log, size] = [
      JSON.parse(out.slice(0, out.lastIndexOf(" "))) as string[],
      out.slice(out.lastIndexOf(" ") + 1),
    ];
    expect(log.filter((line) => line.startsWith("handler")).sort()).toEqual(
      [0, 1, 2, 3, 4].map((i) => `handler ${i}`),
    );
    expect(log.filter((line) => line.startsWith("microtask")).sort()).toEqual(
      [0, 1, 2, 3, 4].map((i) => `microtask ${i}`),
    );
    for (const i of [0, 2, 4]) expect(log.indexOf(`caught ${i}`)).toBe(log.indexOf(`handler ${i}`) + 1);
    expect(size).toBe("0");
  });

  it("an exception that nobody catches ends the process with its stack", async () => {
    const { code, err } = await runChild("uncaught");
    expect(code).toBe(1);
    expect(err).toContain("from a sink");
  });

  it("handlers see neither the store of whoever first asked for the poller nor each other's", async () => {
    const { out } = await runChild("context");
    expect(out).toBe("none,none,none,none");
  });

  for (const mode of ["ref", "unref and ref", "unref twice and ref", "mask 0"]) {
    it(`a registration keeps the process alive: ${mode}`, async () => {
      expect(await runChild("ref", [mode])).toEqual({ code: 0, signal: null, out: "woke", err: "" });
    });
  }
  for (const mode of ["unref", "unref twice", "unwatch", "close", "unref and close", "unref and wake"]) {
    it(`a registration does not keep the process alive: ${mode}`, async () => {
      const { code, out } = await runChild("ref", [mode]);
      expect(code).toBe(0);
      if (mode !== "unref and wake") expect(out).toBe("");
    });
  }

  it("thousands of pipes: each is reported once, and an idle one costs next to nothing", async () => {
    const { code, out } = await runChild("many");
    expect(code).toBe(0);
    const { pipes, reported, size, each } = JSON.parse(out) as Record<string, number>;
    expect(pipes).toBeGreaterThan(400);
    expect(reported).toBe(pipes);
    expect(size).toBe(0);
    if ((pipes as number) > 9000) expect(each).toBeLessThan(2000);
  });

  const ends: Record<string, RegExp> = {
    exit: /^listening 0 3$/,
    terminate: /^listening 0 1$/,
    throw: /^listening 0 from the worker 1$/,
    idle: /^listening 0 0$/,
    "idle, unref": /^listening 0 0$/,
    "exit in handler": /^listening 0 3$/,
    "throw in handler": /^listening 0 from a sink 1$/,
    "terminate in handler": /^listening 0 1$/,
  };
  for (const [how, answer] of Object.entries(ends)) {
    it(`a worker whose parent never loaded the addon ends cleanly: ${how}`, async () => {
      const result = await runChild("workers", [how, "8"]);
      expect(result).toMatchObject({ code: 0, signal: null, err: "" });
      const [first, last] = result.out.split("\n");
      expect(first).toMatch(answer);
      expect(last).toBe("parent alive");
    });
  }
});
