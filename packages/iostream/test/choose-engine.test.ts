import { spawnSync } from "node:child_process";
import type { IOLoop } from "@tw/ioloop";
import { afterEach, describe, expect, it, vi } from "vitest";
import { checkEngine, chooseEngine } from "../src/transports/choose-engine.js";

const withPoller = { poller: {} } as IOLoop;
const without = { poller: undefined } as unknown as IOLoop;

describe("checkEngine", () => {
  it("takes an engine there is, and none", () => {
    for (const engine of ["native", "node", undefined] as const)
      expect(() => checkEngine(engine)).not.toThrow();
  });

  it.each([
    ["nativ", 'engine is "nativ"; it may be "native" or "node"'],
    ["", 'engine is ""; it may be "native" or "node"'],
    [null, 'engine is null; it may be "native" or "node"'],
    [1, 'engine is 1; it may be "native" or "node"'],
  ])("refuses %j, with or without a poller", (engine, message) => {
    expect(() => checkEngine(engine as never)).toThrow(
      expect.objectContaining({ code: "ERR_TW_ENGINE", message }),
    );
  });
});

describe("chooseEngine", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("takes what was asked for, then TW_ENGINE, then native where there is a poller", () => {
    vi.stubEnv("TW_ENGINE", "");
    expect(chooseEngine(withPoller, undefined)).toBe("native");
    expect(chooseEngine(without, undefined)).toBe("node");
    vi.stubEnv("TW_ENGINE", "node");
    expect(chooseEngine(withPoller, undefined)).toBe("node");
    expect(chooseEngine(withPoller, "native")).toBe("native");
  });

  it("never falls back silently when native was asked for", () => {
    vi.stubEnv("TW_ENGINE", "native");
    expect(() => chooseEngine(without, undefined)).toThrow(
      expect.objectContaining({ code: "ERR_TW_NO_POLLER" }),
    );
    vi.stubEnv("TW_ENGINE", "");
    expect(() => chooseEngine(without, "native")).toThrow(
      expect.objectContaining({ code: "ERR_TW_NO_POLLER" }),
    );
  });

  it("says why native cannot be had, in the words of whoever refused it", () => {
    expect(() => chooseEngine(without, "native")).toThrow(/ cannot be had: .+; use engine "node"$/);
    const program = `
      import { PipeIOStream } from "@tw/iostream";
      try { new PipeIOStream(0); } catch (error) { console.log(error.message + "|" + error.cause.message); }`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      cwd: new URL("..", import.meta.url),
      env: { ...process.env, TW_NO_NATIVE: "1", TW_ENGINE: "native" },
      encoding: "utf8",
    });
    expect(stdout).toMatch(/cannot be had: TW_NO_NATIVE is set; use engine "node"\|TW_NO_NATIVE is set\n$/);
  });

  it("refuses a TW_ENGINE that it does not know", () => {
    vi.stubEnv("TW_ENGINE", "natvie");
    expect(() => chooseEngine(withPoller, undefined)).toThrow(
      expect.objectContaining({ code: "ERR_TW_ENGINE" }),
    );
  });
});
