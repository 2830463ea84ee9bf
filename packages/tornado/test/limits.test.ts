// docs/limits.md and the code must say the same: every number of the table is in the code, every default that an
// option's documentation names is in the table, and what runs with no options has these limits.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { resolveHTTP1Options } from "../../http1/src/options.js";
import { ServerContext } from "../../http1connection/src/server-context.js";
import { IOLoop } from "../src/index.js";
import { documentedDefaults, readTable, valueInSource } from "./limits-table.js";

const rows = readTable(readFileSync(new URL("../../../docs/limits.md", import.meta.url), "utf8"));

function limitOf(owner: string, name: string): number | undefined {
  return rows.find((row) => row.package === owner && row.name === name)?.value;
}

describe("docs/limits.md", () => {
  it("has rows", () => {
    expect(rows.length).toBeGreaterThan(25);
  });

  it.each(rows)("$package: $name is $value in $file", ({ package: owner, file, symbol, value }) => {
    // websocket hands its message limit down to the machine, and has no number of its own.
    const owners = owner === "websocket" ? ["websocket", "wsproto"] : [owner];
    expect(owners.some((each) => file.startsWith(`${each}/src/`))).toBe(true);
    expect(valueInSource(file, symbol)).toBe(value);
  });

  const documented = documentedDefaults();

  it("is compared with the documentation of options", () => {
    expect(documented.length).toBeGreaterThan(12);
  });

  it.each(documented)("has $option of $package: $value", ({ package: owner, option, value }) => {
    // Options of two calls may have one name.
    const found = rows.filter((row) => row.package === owner && row.name === option);
    expect(found.map((row) => row.value)).toContain(value);
  });

  it("agrees with what an HTTP/1.1 machine resolves", () => {
    const { fromLatin1: _decoder, ...limits } = resolveHTTP1Options();
    for (const [name, value] of Object.entries(limits))
      expect({ [name]: limitOf("http1", name) }).toEqual({ [name]: value });
  });

  it("agrees with what a server resolves", () => {
    const delegate = { startRequest: () => expect.fail("no request") };
    const { pace } = new ServerContext(IOLoop.current(), delegate);
    expect(Object.keys(pace).length).toBe(5);
    for (const [name, value] of Object.entries(pace))
      expect({ [name]: limitOf("http1connection", name) }).toEqual({ [name]: value });
  });
});
