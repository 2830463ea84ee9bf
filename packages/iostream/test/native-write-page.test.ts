// What the native transport makes of each answer of the kernel to a write from the page, by a poller of which the answers
// are the test's.
import { constants } from "node:os";
import type { Poller } from "@tw/poller";
import { nativeAvailable } from "@tw/tooling-testing";
import { describe, expect, it } from "vitest";
import { IOStream } from "../src/index.js";
import { type NativeEngine, NativeTransport, nativeEngine } from "../src/transports.js";
import { bytes, Notes, text, turn } from "./helpers.js";
import { loop, until } from "./node-pairs.js";

const { EAGAIN, ECONNRESET, EINTR, EPIPE } = constants.errno;

describe.skipIf(!nativeAvailable)("NativeTransport.writePage()", () => {
  /** A transport; the page is written as far as the answers say, and then as far as the kernel takes it. */
  function scripted(answers: number[]) {
    const engine = nativeEngine(loop) as NativeEngine;
    const { page } = engine.poller;
    const fds = engine.poller.socketpair() as [number, number];
    const calls: string[] = [];
    const poller = new Proxy(engine.poller, {
      get(target, name) {
        const value = Reflect.get(target, name, target) as unknown;
        if (name === "writePage")
          return (fd: number, from: number, to: number): number => {
            calls.push(`${from}-${to}`);
            const answer = answers.shift() ?? to - from;
            return answer < 0 ? answer : target.writePage(fd, from, from + answer);
          };
        return typeof value === "function" ? value.bind(target) : value;
      },
    }) as Poller;
    const transport = new NativeTransport({ ...engine, poller }, fds[0], "unix");
    const peer = new IOStream(new NativeTransport(engine, fds[1], "unix"), { loop });
    return { transport, peer, page, calls };
  }

  it("goes on behind what went, also when a signal came first", async () => {
    const { transport, peer, page, calls } = scripted([3, -EINTR, 2]);
    transport.start(new Notes());
    page.putText("0123456789", 0);
    expect(transport.writePage(10)).toBe(10);
    expect(calls).toEqual(["0-10", "3-10", "3-10", "5-10"]);
    expect(text(await peer.readBytes(10))).toBe("0123456789");
    transport.abort();
    peer.abort();
  });

  it("asks nothing of a descriptor that is closed, or has ended: its number may be another one's", () => {
    const { transport, peer, calls } = scripted([]);
    const { transport: ended, peer: itsPeer, calls: itsCalls } = scripted([]);
    transport.start(new Notes());
    ended.start(new Notes());
    transport.abort();
    ended.end();
    expect([transport.writePage(10), ended.writePage(10), calls, itsCalls]).toEqual([0, 0, [], []]);
    ended.abort();
    peer.abort();
    itsPeer.abort();
  });

  it("says what went before there was no room, and asks nothing until there is", async () => {
    const { transport, peer, page, calls } = scripted([3, -EAGAIN]);
    const notes = new Notes();
    transport.start(notes);
    page.putText("0123456789", 0);
    expect([transport.writePage(10), transport.writePage(10), transport.write(["x"])]).toEqual([3, 0, 0]);
    expect(calls).toEqual(["0-10", "3-10"]);
    await until(() => notes.calls.length > 0);
    expect(notes.calls).toEqual(["drain"]);
    expect(transport.write(["3456789"])).toBe(7);
    expect(text(await peer.readBytes(10))).toBe("0123456789");
    transport.abort();
    peer.abort();
  });

  it.each([
    ["EPIPE", EPIPE],
    ["ECONNRESET", ECONNRESET],
  ])(
    "closes with the error of a peer that is gone, and the stream leaves the page: %s",
    async (name, errno) => {
      const { transport, peer, page, calls } = scripted([4, -errno]);
      const stream = new IOStream(transport, { loop });
      const notes = new Notes();
      stream.attach(notes);
      await turn(); // out of what the poller delivers, at the end of which it would leave
      expect(stream.sendCopies(bytes("01234"), "56789")).toBe(true);
      await new Promise((resolve) => process.nextTick(resolve));
      expect([page.owner, stream.bufferedAmount, transport.writePage(1)]).toEqual([undefined, 6, 0]);
      expect(calls).toEqual(["0-10", "4-10"]);
      const behind = stream.write("never sent");
      await expect(behind).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
      await until(() => notes.calls.length > 0);
      expect(notes.calls).toEqual([`close ${name}`]);
      expect([stream.bufferedAmount, calls.length]).toEqual([0, 2]);
      peer.abort();
    },
  );
});
