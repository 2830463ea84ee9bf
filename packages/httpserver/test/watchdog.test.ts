import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onEveryEngine } from "@tw/tooling-testing";
import { expect, it } from "vitest";

const fixture = fileURLToPath(new URL("fixtures/blocking-server.mjs", import.meta.url));
const line =
  readFileSync(fixture, "utf8")
    .split("\n")
    .findIndex((text) => text.includes("// here: slow")) + 1;

onEveryEngine((engine) => {
  it("a blocked loop is reported with the request that it was serving", { timeout: 60_000 }, async () => {
    const child = spawn(process.execPath, [fixture, engine], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const { value: port } = await lines.next();
      const answered = fetch(`http://127.0.0.1:${port}/slow?report=1`);
      const { value: report } = await lines.next();
      const { running, position } = JSON.parse(report);
      expect(running).toMatchObject({ label: "GET /slow?report=1" });
      expect(position).toMatchObject({ functionName: "slowHandler", line });
      expect((await answered).status).toBe(200);
    } finally {
      child.kill("SIGKILL");
      await once(child, "close");
    }
  });
});
