import type { IOLoop } from "@tw/ioloop";
import { whyNoPoller } from "@tw/poller";
import { afterEach, describe, expect, it, vi } from "vitest";
import { chooseEngine } from "../src/transports/choose-engine.js";

vi.mock("@tw/poller", async (original) => ({
  ...(await original<typeof import("@tw/poller")>()),
  whyNoPoller: vi.fn(),
}));

const withPoller = { poller: {} } as IOLoop;
const without = { poller: undefined } as unknown as IOLoop;

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
    const cause = new Error("Cannot find module 'x.node'\nRequire stack:\n- somewhere");
    vi.mocked(whyNoPoller).mockReturnValue(cause);
    expect(() => chooseEngine(without, "native")).toThrow(
      expect.objectContaining({
        cause,
        message: expect.stringContaining(": Cannot find module 'x.node'; use"),
      }),
    );
    vi.mocked(whyNoPoller).mockReturnValue(undefined);
    expect(() => chooseEngine(without, "native")).toThrow(/: The loop's host has no poller; use/);
  });

  it("refuses a TW_ENGINE that it does not know", () => {
    vi.stubEnv("TW_ENGINE", "natvie");
    expect(() => chooseEngine(withPoller, undefined)).toThrow(
      expect.objectContaining({ code: "ERR_TW_ENGINE" }),
    );
  });
});
