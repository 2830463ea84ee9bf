import { nativeAvailable } from "@tw/tooling-testing";
import { describe, expect, it } from "vitest";
import { transportConformance } from "../src/testing.js";
import { type NativeEngine, NativeTransport, nativeEngine } from "../src/transports.js";
import { Notes } from "./helpers.js";
import { tcpDescriptors } from "./native-pairs.js";
import { loop, settle } from "./node-pairs.js";

describe.skipIf(!nativeAvailable)("native transports", () => {
  transportConformance(
    "native, TCP",
    async () => {
      const [a, b] = tcpPair(nativeEngine(loop) as NativeEngine);
      return { a, b, settle, resets: true };
    },
    { describe: describe.concurrent, it },
    { sendsFiles: true, writesPages: true },
  );
  transportConformance(
    "native, TCP, somebody else's reads done ahead",
    async () => {
      const [a, b] = tcpPair({ ...(nativeEngine(loop) as NativeEngine), ahead: undefined });
      return { a, b, settle, resets: true };
    },
    { describe: describe.concurrent, it },
    { sendsFiles: true, writesPages: true },
  );
  transportConformance(
    "native, Unix socket",
    async () => {
      const engine = nativeEngine(loop) as NativeEngine;
      const [a, b] = engine.poller.socketpair() as [number, number];
      return {
        a: new NativeTransport(engine, a, "unix"),
        b: new NativeTransport(engine, b, "unix"),
        settle,
        resets: false,
      };
    },
    { describe: describe.concurrent, it },
    { sendsFiles: true, writesPages: true },
  );
  it("take a small write at once, and need no onDrain for it", async () => {
    const [a, b] = tcpPair(nativeEngine(loop) as NativeEngine);
    const notes = new Notes();
    a.start(notes);
    b.start(new Notes());
    for (let i = 0; i < 5; i++) expect(a.write(["head", new Uint8Array(100)])).toBe(104);
    await settle();
    expect(notes.calls).toEqual([]);
    a.abort();
    b.abort();
  });
});

function tcpPair(engine: NativeEngine): [NativeTransport, NativeTransport] {
  const [accepted, connected] = tcpDescriptors(engine);
  return [new NativeTransport(engine, connected, "tcp"), new NativeTransport(engine, accepted, "tcp")];
}
