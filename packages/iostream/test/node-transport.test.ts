import { describe, expect, it } from "vitest";
import { transportConformance } from "../src/testing.js";
import { nodePair, settle } from "./node-pairs.js";

for (const kind of ["tcp", "unix"] as const) {
  const resets = kind === "tcp";
  transportConformance(
    `node, ${kind}, accepted end`,
    async () => {
      const { connected, accepted } = await nodePair(kind);
      return { a: connected, b: accepted, settle, resets };
    },
    { describe, it },
  );
  transportConformance(
    `node, ${kind}, connected end`,
    async () => {
      const { connected, accepted } = await nodePair(kind);
      return { a: accepted, b: connected, settle, resets };
    },
    { describe, it },
  );
}

describe("nodeTransport()", () => {
  it("knows both addresses, also after the close", async () => {
    const { connected, accepted } = await nodePair("tcp");
    const { info } = accepted;
    expect(info).toMatchObject({ engine: "node", remoteAddress: "127.0.0.1", encrypted: false });
    expect(info.remotePort).toBe(connected.info.localPort);
    accepted.start({ onBytes: () => {}, onEnd: () => {}, onDrain: () => {}, onClose: () => {} });
    accepted.abort();
    connected.abort();
    await settle();
    expect(accepted.info.remotePort).toBe(connected.info.localPort);
  });
});
