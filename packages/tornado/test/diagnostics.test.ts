// docs/diagnostics.md and the code must say the same: every channel of the table is in the code, every channel in the code
// is in the table, with the fields that its message has and no others.

import { hasSubscribers } from "node:diagnostics_channel";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import "../src/index.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));

interface Row {
  readonly channel: string;
  readonly package: string;
  readonly message: string;
  readonly fields: readonly string[];
}

const rows = readFileSync(join(root, "docs/diagnostics.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| `tw:"))
  .map((line): Row => {
    const [channel = "", owner = "", message = "", fields = "", when = ""] = line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim());
    expect(when).not.toBe("");
    return {
      channel: channel.slice(1, -1),
      package: owner,
      message: message.slice(1, -1),
      fields: fields.split(", ").map((field) => field.slice(1, -1)),
    };
  });

/** The sources of all packages, by package. */
const sources = new Map(
  readdirSync(join(root, "packages")).map((name) => {
    const folder = join(root, "packages", name, "src");
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".ts"),
    );
    return [name, files.map((file) => readFileSync(join(folder, file), "utf8")).join("\n")];
  }),
);

/** Fields of an interface in the sources of a package, those that it inherits first. */
function fieldsOf(owner: string, name: string): string[] {
  const source = sources.get(owner) ?? "";
  const found = new RegExp(`export interface ${name}(?: extends (\\w+))? \\{(?:\\}|([\\s\\S]*?)\\n\\})`).exec(
    source,
  );
  if (found === null) return expect.fail(`no interface ${name} in ${owner}`);
  const own = [...(found[2] ?? "").matchAll(/^\s+(?:readonly )?(\w+)\??:/gm)].map(([, field = ""]) => field);
  return found[1] === undefined ? own : [...fieldsOf(owner, found[1]), ...own];
}

describe("docs/diagnostics.md", () => {
  it("lists each channel once", () => {
    expect(new Set(rows.map(({ channel }) => channel)).size).toBe(rows.length);
    expect(rows.length).toBeGreaterThan(25);
  });

  it("lists what the sources make, in the package that makes it, and nothing else", () => {
    const made = [...sources].flatMap(([owner, source]) =>
      [...source.matchAll(/\bchannel\(\s*"(tw:[^"]+)",?\s*\)/g)].map(([, channel]) => `${owner} ${channel}`),
    );
    expect(made.sort()).toEqual(rows.map(({ package: owner, channel }) => `${owner} ${channel}`).sort());
  });

  it.each(rows)("$channel: $message has the fields of the table", ({ package: owner, message, fields }) => {
    expect(fieldsOf(owner, message)).toEqual(fields);
  });

  it.each(rows)("$channel: the code publishes $message on it", ({ package: owner, channel, message }) => {
    const source = sources.get(owner) ?? "";
    const member = channel.split(":")[2] ?? "";
    const typed = new RegExp(`: DiagnosticsChannel<${message}> = channel\\(\\s*"${channel}"`);
    // The channels of both roles of HTTP are one type of object.
    const shared = `readonly ${member}: DiagnosticsChannel<${message}>;`;
    expect(typed.test(source) || source.includes(shared)).toBe(true);
  });

  it("is about channels that nobody listens to by himself", () => {
    expect(rows.filter(({ channel }) => hasSubscribers(channel))).toEqual([]);
  });
});
