// What the native transport makes of each answer of the kernel to sendfile(2), by a poller of which the answers are the test's.
import { constants } from "node:os";
import type { Poller } from "@tw/poller";
import { nativeAvailable } from "@tw/tooling-testing";
import { describe, expect, it } from "vitest";
import { READ_FILE } from "../src/transport.js";
import { type NativeEngine, NativeTransport, nativeEngine } from "../src/transports.js";
import { Notes } from "./helpers.js";
import { loop, until } from "./node-pairs.js";

const { EAGAIN, ECONNRESET, EINTR, EINVAL, EIO, EPERM } = constants.errno;
const KIB = 1024;

describe.skipIf(!nativeAvailable)("NativeTransport.sendFile()", () => {
  /** A started transport, and what the kernel was asked. */
  function scripted(cached: number, answers: number[]) {
    const engine = nativeEngine(loop) as NativeEngine;
    const [fd, peer] = engine.poller.socketpair() as [number, number];
    const calls: string[] = [];
    const poller = new Proxy(engine.poller, {
      get(target, name) {
        if (name === "cached")
          return (file: number, offset: number, length: number) => {
            calls.push(`cached ${file} ${offset}+${length}`);
            return cached;
          };
        if (name === "sendfile")
          return (_fd: number, file: number, offset: number, length: number) => {
            calls.push(`sendfile ${file} ${offset}+${length}`);
            return answers.shift() ?? length;
          };
        if (name === "writev")
          return (...args: Parameters<Poller["writev"]>) => {
            calls.push(`writev ${args[1].join("")}${args[3] === true ? " and more" : ""}`);
            return target.writev(...args);
          };
        const value = Reflect.get(target, name, target) as unknown;
        return typeof value === "function" ? value.bind(target) : value;
      },
    }) as Poller;
    const transport = new NativeTransport({ ...engine, poller }, fd, "unix");
    const notes = new Notes();
    transport.start(notes);
    const finish = async (): Promise<void> => {
      transport.abort();
      await until(() => notes.calls.at(-1)?.startsWith("close") === true);
      engine.poller.closeFd(peer);
    };
    return { transport, calls, notes, finish };
  }

  it("lets the kernel know of a head that more follows it, and of nothing else", async () => {
    const { transport, calls, finish } = scripted(1, []);
    transport.write(["head"], true);
    transport.write(["whole"]);
    transport.write(["last"], false);
    expect(calls).toEqual(["writev head and more", "writev whole", "writev last"]);
    await finish();
  });

  it("leaves to be read what is not in memory, and does not ask the kernel to send it", async () => {
    const { transport, calls, finish } = scripted(0, []);
    expect(transport.sendFile(7, 5, 100)).toBe(READ_FILE);
    expect(calls).toEqual(["cached 7 5+100"]);
    await finish();
  });

  it.each([1, -EPERM])(
    "has it sent where it is in memory, or the kernel does not say: %i",
    async (answer) => {
      const { transport, calls, finish } = scripted(answer, []);
      expect(transport.sendFile(7, 5, 100)).toBe(100);
      expect(calls).toEqual(["cached 7 5+100", "sendfile 7 5+100"]);
      await finish();
    },
  );

  it("asks about 256 KiB at a time, and for these until they have gone", async () => {
    const { transport, calls, finish } = scripted(1, [200 * KIB]);
    expect(transport.sendFile(7, 0, 10_000 * KIB)).toBe(256 * KIB);
    expect(calls).toEqual([
      `cached 7 0+${256 * KIB}`,
      `sendfile 7 0+${256 * KIB}`,
      `sendfile 7 ${200 * KIB}+${56 * KIB}`,
    ]);
    await finish();
  });

  it("says what went before there was no room, and then asks nothing until there is", async () => {
    const { transport, calls, notes, finish } = scripted(1, [10, -EAGAIN]);
    expect(transport.sendFile(7, 0, 100)).toBe(10);
    expect(transport.sendFile(7, 10, 90)).toBe(0);
    expect(calls.length).toBe(3);
    await until(() => notes.calls.length > 0);
    expect(notes.calls).toEqual(["drain"]);
    expect(transport.sendFile(7, 10, 90)).toBe(90);
    await finish();
  });

  it("tries again when a signal came first", async () => {
    const { transport, calls, finish } = scripted(1, [-EINTR, 60, -EINTR]);
    expect(transport.sendFile(7, 0, 100)).toBe(100);
    expect(calls.length).toBe(5);
    await finish();
  });

  it.each([0, -EIO, -EINVAL])(
    "leaves to be read where a file answers %i, behind what went",
    async (answer) => {
      const { transport, notes, finish } = scripted(1, [answer, 60, answer]);
      expect(transport.sendFile(7, 0, 100)).toBe(READ_FILE);
      expect(transport.sendFile(7, 0, 100)).toBe(60);
      expect(notes.calls).toEqual([]);
      await finish();
    },
  );

  it("closes with the error of a peer that is gone", async () => {
    const { transport, notes, finish } = scripted(1, [60, -ECONNRESET]);
    expect(transport.sendFile(7, 0, 100)).toBe(60);
    expect(transport.sendFile(7, 60, 40)).toBe(0);
    await until(() => notes.calls.length > 0);
    expect(notes.calls).toEqual(["close ECONNRESET"]);
    await finish();
  });
});
