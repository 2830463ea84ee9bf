// What holds for every input, as sentences that throw. Whatever else is thrown on the way, by the machine or by the
// log that runs it, is a violation of the first one: for all bytes come events or an HTTPInputError, never another error.

import { latin1 } from "@tw/util";
import { HTTP1Machine } from "../machine.js";
import { resolveHTTP1Options } from "../options.js";
import { piecesOf, runScenario, type Scenario } from "./scenario.js";

/** Where the input is cut does not change the events. */
export function choppingChangesNothing(scenario: Scenario, whole: string[], cuts: Iterable<number>): void {
  same(runScenario(scenario, cuts), whole, "Chopping changed the events");
}

/** Input that was refused stays refused, and nothing of what comes behind it is read. */
export function refusedStaysRefused(scenario: Scenario, whole: string[]): void {
  if (!whole.at(-1)?.startsWith("error")) return;
  const { eof, ...open } = scenario;
  const behind = { ...open, wire: `${scenario.wire}\r\n\r\nGET /behind HTTP/1.1\r\nHost: b\r\n\r\n` };
  // Input that is refused because it ended has no behind.
  if (
    eof &&
    !runScenario(open, [scenario.wire.length + 1])
      .at(-1)
      ?.startsWith("error")
  )
    return;
  const after = runScenario(behind, [behind.wire.length]);
  same(after.slice(0, whole.length), whole, "What came behind changed the refusal");
  same(after.slice(whole.length), [], "Something was read behind a refusal");
}

/**
 * What is accepted as one request holds no second one: written down again from its parts, it is read as the same
 * request, and as no more. A field or a target with a line in it could not be.
 */
export function oneRequestIsOne(scenario: Scenario, whole: string[]): void {
  if (scenario.role !== "server" || !whole.some((line) => line.startsWith("request "))) return;
  const machine = new HTTP1Machine("server", resolveHTTP1Options(scenario.options));
  machine.receive(latin1(scenario.wire));
  const event = machine.next();
  if (event?.type !== "request") return;
  const fields = event.headers.rawFields;
  let wire = `${event.method} ${event.target} ${event.version}\r\n`;
  for (let i = 0; i < fields.length; i += 2) wire += `${fields[i]}: ${fields[i + 1]}\r\n`;
  wire += "\r\n";
  const again = runScenario({ role: "server", wire }, piecesOf(wire.length), 1);
  same(again, firstMessage(whole), "A request was not one");
  const bodiless = !event.chunked && (event.contentLength ?? 0) === 0;
  const all = runScenario({ role: "server", wire }, piecesOf(wire.length));
  const heads = all.filter((line) => line.startsWith("request ")).length;
  if (heads !== 1 || (bodiless && all.filter((line) => line.startsWith("end")).length !== 1))
    throw new Error(`One request was read as ${heads}: ${JSON.stringify(all)}`);
}

/** The lines of the first event. */
function firstMessage(lines: readonly string[]): string[] {
  const next = lines.findIndex((line, i) => i > 0 && !line.startsWith("  "));
  return lines.slice(0, next === -1 ? undefined : next);
}

/** @throws Error where the two differ */
export function same(actual: readonly string[], expected: readonly string[], sentence: string): void {
  if (actual.length === expected.length && actual.every((line, i) => line === expected[i])) return;
  throw new Error(`${sentence}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
}
