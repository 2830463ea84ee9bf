import { expect } from "vitest";
import { piecesOf, runScenario, type Scenario } from "../src/testing.js";

export { machineFor, piecesOf as repeat, runScenario as run, type Scenario } from "../src/testing.js";

export const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));
export const text = (view: Uint8Array): string => Buffer.from(view).toString("latin1");

export const OK = { version: "HTTP/1.1", code: 200, reason: "OK" } as const;

/** Whole, byte by byte, with trailing data: the same events, and what is behind stays behind. */
export function threeWays(scenario: Scenario): string[] {
  const whole = runScenario(scenario, [Math.max(1, scenario.wire.length)]);
  expect(runScenario(scenario, piecesOf(1)), "byte by byte").toEqual(whole);
  const last = whole.findLast((line) => !line.startsWith("  "));
  if (scenario.eof || !/^(end|error)/.test(last ?? "")) return whole;
  const events = whole.filter((line) => !line.startsWith("  ")).length;
  const behind = { ...scenario, wire: `${scenario.wire}\x00behind` };
  // A client that gets more than it asked for does not ask again on that connection.
  const unused = scenario.role === "client" ? "end, close" : "end, keep-alive";
  const expected = whole.map((line) => (line === "end, keep-alive" ? unused : line));
  expect(runScenario(behind, [behind.wire.length], events), "with trailing data").toEqual(expected);
  expect(runScenario(behind, piecesOf(1), events), "byte by byte with trailing data").toEqual(expected);
  return whole;
}
