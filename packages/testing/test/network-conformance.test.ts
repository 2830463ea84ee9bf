// The simulated network passes the suite of every network, whatever the ways between its hosts are like.

import { virtualLoop } from "@tw/ioloop/testing";
import { nullLogger } from "@tw/log";
import { describe, it } from "vitest";
import { networkConformance, SimulatedNetwork, type SimulatedNetworkOptions } from "../src/index.js";

const WAYS: Readonly<Record<string, SimulatedNetworkOptions>> = {
  "perfect ways": {},
  "latency that varies": { latencyMs: [1, 20], seed: 3 },
  "single bytes": { pieces: "bytes", writes: "random", latencyMs: 2 },
  "slow lines": { bytesPerMs: 0.5, capacity: 16 },
};

for (const [name, options] of Object.entries(WAYS)) {
  networkConformance(
    `simulated, ${name}`,
    () => {
      const { loop, host } = virtualLoop({ logger: nullLogger });
      const network = new SimulatedNetwork(loop, options);
      return { loop, network, path: "/run/simulated.sock", settle: () => host.advance(1) };
    },
    { describe, it },
  );
}

networkConformance(
  "a simulated host with a loop of its own",
  () => {
    const { loop, host: clock } = virtualLoop({ logger: nullLogger });
    const network = new SimulatedNetwork(loop, { clock, latencyMs: 4 });
    const host = network.host("server", "192.0.2.7", "2001:db8::7");
    const here = { address: "192.0.2.7", family: 4 } as const;
    return { loop: host.loop, network: host, here, path: "\0abstract", settle: () => clock.advance(1) };
  },
  { describe, it },
);
