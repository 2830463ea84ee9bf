// A logger that throws costs nobody anything: not the connection that it was to tell of, and not the process.
import { nativeAvailable } from "@tw/tooling-testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Transport } from "../src/index.js";
import type { StreamReceiver } from "../src/receiver.js";
import { type NativeEngine, NativeTransport, nativeEngine } from "../src/transports.js";
import { tcpDescriptors } from "./native-pairs.js";
import { loop, nodePair, settle, until } from "./node-pairs.js";
import { STREAM_PAIRS } from "./stream-pairs.js";

let asked = 0;

beforeEach(() => {
  asked = 0;
  vi.spyOn(loop.logger, "error").mockImplementation(() => {
    asked++;
    throw new Error("no logging today");
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

for (const [name, make] of Object.entries(STREAM_PAIRS)) {
  describe.skipIf(make === undefined)(`a receiver that throws, and a logger that does, over ${name}`, () => {
    const pair = make as NonNullable<typeof make>;

    it.each(["onBytes", "onEnd", "onClose"] as const)(
      "%s ends its stream, and nothing else",
      async (where) => {
        const [stream, peer] = await pair();
        const fault = new Error(where);
        const receiver: StreamReceiver = { onBytes() {}, onEnd() {}, onDrain() {}, onClose() {} };
        receiver[where] = () => {
          throw fault;
        };
        stream.attach(receiver);
        peer.send("hello");
        peer.end();
        stream.end();
        await stream.whenClosed;
        peer.abort();
        await peer.whenClosed;
        expect([stream.closed, asked]).toEqual([true, 1]);
        // Of what `onClose` throws it can be told no more.
        expect(stream.error).toBe(where === "onClose" ? undefined : fault);
      },
    );
  });
}

/** One end each of a connection whose peer is another transport. */
const TRANSPORTS: Record<string, (() => Promise<[Transport, Transport]>) | undefined> = {
  native: nativeAvailable
    ? async () => {
        const engine = nativeEngine(loop) as NativeEngine;
        const [a, b] = tcpDescriptors(engine);
        return [new NativeTransport(engine, a, "tcp"), new NativeTransport(engine, b, "tcp")];
      }
    : undefined,
  node: async () => {
    const { connected, accepted } = await nodePair("tcp");
    return [connected, accepted];
  },
};

for (const [name, make] of Object.entries(TRANSPORTS)) {
  describe.skipIf(make === undefined)(`onClose that throws, and a logger that does, on ${name}`, () => {
    it.each(["end", "abort"] as const)("after %s() is called once, and ends nothing else", async (how) => {
      const [transport, peer] = await (make as NonNullable<typeof make>)();
      const quiet = { onBytes() {}, onEnd() {}, onDrain() {}, onClose() {} };
      let closes = 0;
      peer.start(quiet);
      transport.start({
        ...quiet,
        onClose() {
          closes++;
          throw new Error("in onClose");
        },
      });
      for (const each of [transport, peer]) each[how]();
      await until(() => asked > 0);
      await settle();
      expect([closes, asked]).toEqual([1, 1]);
    });
  });
}
