// Every network passes the suite: the real one on both engines, and the one in memory, in virtual time.
import { randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IOLoop } from "@tw/ioloop";
import { virtualLoop } from "@tw/ioloop/testing";
import { nullLogger } from "@tw/log";
import { nativeAvailable, onEveryEngine } from "@tw/tooling-testing";
import { describe, it } from "vitest";
import { networkOf, type ResolvedAddress } from "../src/index.js";
import { MemoryNetwork, networkConformance } from "../src/testing.js";
import { settle } from "./helpers.js";

networkConformance(
  "memory",
  () => {
    const { loop, host } = virtualLoop({ logger: nullLogger });
    const network = new MemoryNetwork(loop, { latencyMs: 3 });
    return { loop, network, path: "/memory.sock", settle: () => host.advance(1) };
  },
  { describe, it },
);

const PLACES: readonly ResolvedAddress[] = [
  { address: "127.0.0.1", family: 4 },
  { address: "::1", family: 6 },
];

onEveryEngine((engine) => {
  if (engine === "native" && !nativeAvailable) return;
  for (const here of PLACES) {
    networkConformance(
      here.address,
      () => {
        const loop = new IOLoop({ logger: nullLogger });
        const path = join(tmpdir(), `tw-${randomUUID()}.sock`);
        const before = readdirSync("/proc/self/fd").length;
        const resources = () => {
          const descriptors = Math.max(0, readdirSync("/proc/self/fd").length - before);
          return engine === "native" ? descriptors + (loop.poller?.size ?? 0) : descriptors;
        };
        return { loop, network: networkOf(loop), engine, here, path, settle, resources };
      },
      { describe, it },
    );
  }
});
