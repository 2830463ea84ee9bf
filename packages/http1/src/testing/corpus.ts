// The corpus: Markdown with a heading, a fence of wire bytes and a fence of events for each case.
//
// In a wire fence the line ends of the file mean nothing; bytes that one cannot see are written \r \n \t \xHH. Words
// after the fence's name: `eof` (the peer ends the connection), `method=HEAD`,
// `upgrade` (the request asked for protocol `x`), and limits such as `maxBodySize=4`.

import type { Scenario } from "./scenario.js";

/** One case: what comes in and what comes out. */
export interface CorpusCase {
  /** `file: heading`. */
  readonly name: string;
  readonly scenario: Scenario;
  readonly events: readonly string[];
}

/**
 * Reads the cases of one file. A file whose name begins with `response` holds responses, every other one requests.
 *
 * @param file its name, which is part of the names of its cases
 * @throws Error for a heading without the two fences
 */
export function parseCorpus(markdown: string, file: string): CorpusCase[] {
  const cases: CorpusCase[] = [];
  for (const section of markdown.split(/^## /m).slice(1)) {
    const match = CASE.exec(section);
    if (match === null) throw new Error(`Not a case: ${file}: ${section.split("\n", 1)[0]}`);
    const [, heading, words, wire, events] = match as unknown as string[];
    cases.push({
      name: `${file}: ${heading}`,
      scenario: {
        role: file.startsWith("response") ? "client" : "server",
        wire: unescapeWire(wire as string),
        ...directives(words as string),
      },
      events: (events as string).split("\n").slice(0, -1),
    });
  }
  return cases;
}

const CASE = /^(.+)\n(?:(?!```).*\n)*```wire(.*)\n([\s\S]*?)```\n\s*```events\n([\s\S]*?)```\s*$/;

function unescapeWire(fence: string): string {
  return fence
    .replaceAll("\n", "")
    .replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex: string | undefined, c: string) =>
      hex === undefined ? (ESCAPES[c] ?? c) : String.fromCharCode(Number.parseInt(hex, 16)),
    );
}

const ESCAPES: Readonly<Record<string, string>> = { r: "\r", n: "\n", t: "\t" };

function directives(words: string): Partial<Scenario> {
  const options: Record<string, number> = {};
  let scenario: Partial<Scenario> = {};
  for (const word of words.split(" ").filter(Boolean)) {
    const [key, value] = word.split("=") as [string, string?];
    if (key === "eof") scenario = { ...scenario, eof: true };
    else if (key === "method") scenario = { ...scenario, method: value as string };
    else if (key === "upgrade") scenario = { ...scenario, headers: { Connection: "Upgrade", Upgrade: "x" } };
    else options[key] = Number(value);
  }
  return { ...scenario, options };
}
