// Reads the corpus: Markdown with a heading, a fence of wire bytes and a fence of events for each case.
//
// In a wire fence the line ends of the file mean nothing; bytes that one cannot see are written \r \n \t \xHH.
// Words after the fence's name: `eof` (the peer ends the connection), `method=HEAD`, `upgrade`, and limits such as
// `maxBodySize=4`.

import { readdirSync, readFileSync } from "node:fs";
import type { HTTP1Role } from "../src/index.js";
import type { Scenario } from "./helpers.js";

export interface Case {
  readonly name: string;
  readonly scenario: Scenario;
  readonly events: string[];
}

export function readCorpus(): Case[] {
  const folder = new URL("./corpus/", import.meta.url);
  return readdirSync(folder).flatMap((file) => {
    const role: HTTP1Role = file.startsWith("response") ? "client" : "server";
    return [...readFileSync(new URL(file, folder), "utf8").matchAll(CASE)].map((match) => ({
      name: `${file}: ${match[1]}`,
      scenario: { role, wire: unescapeWire(match[3] as string), ...directives(match[2] as string) },
      events: (match[4] as string).split("\n").slice(0, -1),
    }));
  });
}

const CASE = /^## (.+)\n(?:(?!##|```).*\n)*```wire(.*)\n([\s\S]*?)```\n\s*```events\n([\s\S]*?)```$/gm;

function unescapeWire(fence: string): string {
  return fence
    .replaceAll("\n", "")
    .replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex, c) =>
      hex ? String.fromCharCode(Number.parseInt(hex, 16)) : ({ r: "\r", n: "\n", t: "\t" }[c as string] ?? c),
    );
}

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
