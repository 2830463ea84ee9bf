// The examination of a Network against the contract in network.ts. Its parts:
//
//   network-cases.ts      the lines of the contract, one case each; the numbers in the titles are the lines
//   examined-network.ts   what a case works with

import { ExaminedNetwork, type NetworkSubject } from "./examined-network.js";
import { NETWORK_CASES } from "./network-cases.js";

/** The part of a test runner that the suite needs; vitest's, Jest's and Node's own fit. */
export interface NetworkTestRunner {
  describe(name: string, define: () => void): void;
  it(name: string, run: () => Promise<void>): void;
}

/**
 * Declares the suite that every {@link Network} has to pass.
 *
 * @example
 * networkConformance("memory", () => {
 *   const { loop, host } = virtualLoop({ logger: nullLogger });
 *   return { loop, network: new MemoryNetwork(loop), settle: () => host.advance(1) };
 * }, { describe, it });
 */
export function networkConformance(
  name: string,
  makeSubject: () => NetworkSubject | Promise<NetworkSubject>,
  { describe, it }: NetworkTestRunner,
): void {
  const examine = async (run: (examined: ExaminedNetwork) => Promise<void>): Promise<void> => {
    const examined = new ExaminedNetwork(await makeSubject());
    try {
      await run(examined);
    } finally {
      await examined.finish();
    }
  };
  describe(`Network contract: ${name}`, () => {
    for (const [title, run] of NETWORK_CASES) it(title, () => examine(run));
  });
}
