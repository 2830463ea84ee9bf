// What the packages' own tests share. It knows the poller only, so that any package above it may use it.
import { loadPoller } from "@tw/poller";
import { describe } from "vitest";

export type TestEngine = "native" | "node";

/** Whether the native engine can be had on this machine. */
export const nativeAvailable: boolean = loadPoller() !== undefined;

/** Runs a suite once per engine in this process; where there is no poller the native run shows up as skipped. */
export function onEveryEngine(suite: (engine: TestEngine) => void): void {
  describe.skipIf(!nativeAvailable)("native engine", () => suite("native"));
  describe("node engine", () => suite("node"));
}
