import { Socket } from "node:net";
import type { Poller } from "@tw/poller";
import { nativeAvailable } from "@tw/tooling-testing";
import { describe, expect, it, vi } from "vitest";
import { IOStream } from "../src/index.js";
import {
  memoryPair,
  type NativeEngine,
  NativeTransport,
  nativeEngine,
  nodeTransport,
} from "../src/transports.js";
import { tcpDescriptors } from "./native-pairs.js";
import { loop } from "./node-pairs.js";

describe("setKeepAlive() and setNodelay()", () => {
  it.skipIf(!nativeAvailable)(
    "set the kernel's options of a TCP descriptor, in whole seconds upwards",
    async () => {
      const engine = nativeEngine(loop) as NativeEngine;
      const [accepted, connected] = tcpDescriptors(engine);
      const calls: unknown[] = [];
      const poller: Poller = new Proxy(engine.poller, {
        get(target, property) {
          const value: unknown = Reflect.get(target, property, target);
          if (typeof value !== "function") return value;
          return (...args: unknown[]) => {
            const result = value.apply(target, args);
            if (property === "setsockopt") calls.push([...args.slice(1), result]);
            return result;
          };
        },
      });
      const stream = new IOStream(new NativeTransport({ ...engine, poller }, connected, "tcp"), { loop });
      stream.setKeepAlive(1001);
      stream.setKeepAlive(Number.MAX_SAFE_INTEGER);
      stream.setKeepAlive(0);
      stream.setNodelay(true);
      stream.setNodelay(false);
      expect(calls).toEqual([
        ["keepAlive", 2, 0],
        ["keepAlive", 32_767, 0],
        ["keepAlive", 0, 0],
        ["noDelay", 1, 0],
        ["noDelay", 0, 0],
      ]);
      stream.abort();
      await stream.whenClosed;
      calls.length = 0;
      stream.setKeepAlive(1);
      stream.setNodelay(true);
      expect(calls).toEqual([]);
      engine.poller.closeFd(accepted);
    },
  );

  it("ask Node's socket, and do nothing where there is none", async () => {
    const socket = new Socket();
    const keepAlive = vi.spyOn(socket, "setKeepAlive");
    const noDelay = vi.spyOn(socket, "setNoDelay");
    const transport = nodeTransport(loop, socket);
    transport.setKeepAlive(1001);
    transport.setKeepAlive(0);
    transport.setNodelay(true);
    expect(keepAlive.mock.calls).toEqual([
      [true, 2000],
      [false, 0],
    ]);
    expect(noDelay.mock.calls).toEqual([[true]]);
    socket.destroy();
    const [near] = memoryPair(loop);
    const stream = new IOStream(near, { loop });
    stream.setKeepAlive(1000);
    stream.setNodelay(true);
    stream.abort();
    await stream.whenClosed;
  });

  it("refuse a duration that is none", () => {
    const [near] = memoryPair(loop);
    const stream = new IOStream(near, { loop });
    expect(() => stream.setKeepAlive(-1)).toThrow(RangeError);
    expect(() => stream.setKeepAlive(Number.POSITIVE_INFINITY)).toThrow(RangeError);
    expect(() => stream.setKeepAlive("1" as never)).toThrow(TypeError);
    stream.abort();
  });
});
