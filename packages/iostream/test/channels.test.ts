import { hasSubscribers, subscribe, unsubscribe } from "node:diagnostics_channel";
import { observe } from "@tw/ioloop";
import { nativeAvailable } from "@tw/tooling-testing";
import { afterEach, describe, expect, it } from "vitest";
import { IOStream, SSLIOStream } from "../src/index.js";
import { memoryPair, type NativeEngine, NativeTransport, nativeEngine } from "../src/transports.js";
import { pair, ScriptedTransport, testLoop, text, turn } from "./helpers.js";
import { tcpDescriptors } from "./native-pairs.js";
import { loop, nodePair } from "./node-pairs.js";
import { selfSigned } from "./self-signed.js";

type Name = `tw:iostream:${string}`;

const NAMES: readonly Name[] = [
  "tw:iostream:opened",
  "tw:iostream:closed",
  "tw:iostream:received",
  "tw:iostream:sent",
  "tw:iostream:handshakeStart",
  "tw:iostream:handshakeFinish",
  "tw:iostream:handshakeError",
];

const identity = selfSigned();

const listening: (() => void)[] = [];

/** Notes every message of this package until the test ends. */
function listen(note: (name: Name, message: never) => void): void {
  for (const name of NAMES) {
    const listener = (message: unknown): void => note(name, message as never);
    subscribe(name, listener);
    listening.push(() => unsubscribe(name, listener));
  }
}

afterEach(() => {
  for (const stop of listening.splice(0)) stop();
  expect(NAMES.filter((name) => hasSubscribers(name))).toEqual([]);
});

type MakePair = () => Promise<[IOStream, IOStream]>;

const PAIRS: Record<string, MakePair> = {
  native: async () => {
    const engine = nativeEngine(loop) as NativeEngine;
    const [accepted, connected] = tcpDescriptors(engine);
    return [
      new IOStream(new NativeTransport(engine, connected, "tcp"), { loop }),
      new IOStream(new NativeTransport(engine, accepted, "tcp"), { loop }),
    ];
  },
  node: async () => {
    const { connected, accepted } = await nodePair("tcp");
    return [new IOStream(connected, { loop }), new IOStream(accepted, { loop })];
  },
  memory: async () => {
    const [a, b] = memoryPair(loop);
    return [new IOStream(a, { loop }), new IOStream(b, { loop })];
  },
};

for (const [engine, make] of Object.entries(PAIRS)) {
  describe.skipIf(engine === "native" && !nativeAvailable)(`streams publish, ${engine}`, () => {
    it("opened, sent, received and closed, each with the stream", async () => {
      const streams: IOStream[] = [];
      const seen: string[] = [];
      listen((name, message: { stream: IOStream; view: Uint8Array; size: number; chunks: string[] }) => {
        if (name === "tw:iostream:opened") streams.push(message.stream);
        const what = [`${"AB"[streams.indexOf(message.stream)]} ${name.slice(12)}`];
        if (name === "tw:iostream:received") what.push(text(message.view));
        if (name === "tw:iostream:sent") what.push(`${message.size} of ${message.chunks.join("|")}`);
        seen.push(what.join(" "));
      });
      const [near, far] = await make();
      void near.write("hello");
      expect(text(await far.readBytes(5))).toBe("hello");
      near.end();
      far.end();
      await expect(far.readBytes(1)).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
      await near.readUntilClose();
      await Promise.all([near.whenClosed, far.whenClosed]);
      expect(streams).toEqual([near, far]);
      expect(seen.slice(0, 4)).toEqual(["A opened", "B opened", "A sent 5 of hello", "B received hello"]);
      expect(seen.slice(4).sort()).toEqual(["A closed", "B closed"]);
    });

    it("closed with what the stream was aborted with", async () => {
      const [near, far] = await make();
      const reasons = new Map<IOStream, unknown>();
      listen((name, { stream, error }: { stream: IOStream; error: unknown }) => {
        if (name === "tw:iostream:closed") reasons.set(stream, error);
      });
      const reason = new Error("enough");
      near.abort(reason);
      near.abort(new Error("again"));
      void far.readUntilClose().catch(() => undefined);
      await Promise.all([near.whenClosed, far.whenClosed]);
      expect(reasons.size).toBe(2);
      expect(reasons.get(near)).toBe(reason);
      expect(reasons.get(far)).toBe(far.error);
    });

    it("the handshake of startTls(): start, the plain stream closed, the secure one opened, finish", async () => {
      const [near, far] = await make();
      const seen: unknown[] = [];
      const opened = new Set<IOStream>();
      listen((name, message: { stream: IOStream; secure: IOStream; isServer: boolean }) => {
        if (name === "tw:iostream:opened") opened.add(message.stream);
        else if (name === "tw:iostream:handshakeStart" && message.stream === far) seen.push(message.isServer);
        else if (name === "tw:iostream:closed" && message.stream === far) seen.push("closed");
        else if (name === "tw:iostream:handshakeFinish" && message.stream === far)
          seen.push(opened.has(message.secure), message.secure);
      });
      const answering = far.startTls({ ...identity, isServer: true });
      const secure = await near.startTls({ ca: identity.cert, servername: "localhost" });
      const answered = await answering;
      expect(seen).toEqual([true, "closed", true, answered]);
      for (const stream of [secure, answered]) stream.abort();
      await Promise.all([secure.whenClosed, answered.whenClosed]);
    });

    it("opened with a stream that can be asked all that it knows", async () => {
      const [near, far] = await make();
      const facts: unknown[] = [];
      listen((name, { stream }: { stream: IOStream }) => {
        if (name !== "tw:iostream:opened" || !(stream instanceof SSLIOStream)) return;
        const { protocol, alpnProtocol, servername, authorized, authorizationError, info } = stream;
        const { encrypted } = info;
        const subject = stream.peerCertificate()?.subject;
        facts.push({
          protocol,
          alpnProtocol,
          servername,
          authorized,
          authorizationError,
          encrypted,
          subject,
        });
      });
      const ALPNProtocols = ["tw/1"];
      const answering = far.startTls({ ...identity, isServer: true, ALPNProtocols });
      const secure = await near.startTls({ ca: identity.cert, servername: "localhost", ALPNProtocols });
      const answered = await answering;
      const shared = { protocol: "TLSv1.3", alpnProtocol: "tw/1", servername: "localhost", encrypted: true };
      expect(facts).toHaveLength(2);
      expect(facts).toContainEqual({
        ...shared,
        authorized: true,
        authorizationError: undefined,
        subject: "CN=localhost",
      });
      expect(facts).toContainEqual(
        expect.objectContaining({ ...shared, authorized: false, subject: undefined }),
      );
      for (const stream of [secure, answered]) stream.abort();
      await Promise.all([secure.whenClosed, answered.whenClosed]);
    });

    it("the handshake of startTls() that fails: start, the plain stream closed, error", async () => {
      const [near, far] = await make();
      const seen: unknown[] = [];
      listen((name, message: { stream: IOStream; isServer: boolean; error: unknown }) => {
        if (message.stream === near) seen.push([name.slice(12), message.isServer ?? message.error]);
      });
      const answering = far.startTls({ ...identity, isServer: true }).catch(() => undefined);
      const error = await near.startTls({ servername: "localhost" }).then(
        () => expect.fail("nobody vouches for that certificate"),
        (error: unknown) => error,
      );
      await answering;
      expect(seen).toEqual([
        ["handshakeStart", false],
        ["closed", undefined],
        ["handshakeError", error],
      ]);
    });
  });
}

describe("streams publish", () => {
  it("sent with what the transport took of a longer queue, and nothing when it took nothing", async () => {
    const transport = new ScriptedTransport();
    const stream = new IOStream(transport, { loop: testLoop() });
    const seen: unknown[] = [];
    listen((name, message: { size: number; chunks: unknown[] }) => {
      if (name === "tw:iostream:sent") seen.push([message.size, message.chunks]);
    });
    transport.room = 3;
    stream.send("hello");
    await turn();
    transport.receiver.onDrain();
    transport.room = 2;
    transport.receiver.onDrain();
    expect(seen).toEqual([
      [3, ["hello"]],
      [2, ["lo"]],
    ]);
  });

  it("and an observer may write to the stream, and abort it, from within", async () => {
    const transport = new ScriptedTransport();
    const stream = new IOStream(transport, { loop: testLoop() });
    let observed = 0;
    listen((name) => {
      if (name !== "tw:iostream:sent") return;
      if (++observed === 1) stream.send("more");
      else stream.abort(new Error("observed"));
    });
    stream.send("one");
    await turn();
    stream.send("never");
    await turn();
    expect(transport.calls).toEqual(["write one", "write more", "abort observed"]);
    // The queue went back to the pool once: two streams that write do not share it.
    const others = [new ScriptedTransport(), new ScriptedTransport()];
    for (const [i, other] of others.entries()) new IOStream(other, { loop: testLoop() }).send(`only ${i}`);
    await turn();
    expect(others.map(({ calls }) => calls)).toEqual([["write only 0"], ["write only 1"]]);
  });

  it("and a receiver gets its bytes when a subscriber throws, and is logged by observe()", async () => {
    const { loop, stream, peer } = pair();
    const observation = observe("tw:iostream:received", () => expect.fail("observer"), {
      logger: loop.logger,
    });
    const read = peer.readBytes(2);
    void stream.write("ok");
    await loop.settle();
    expect(text(await read)).toBe("ok");
    observation[Symbol.dispose]();
    expect(loop.logged).toEqual([expect.objectContaining({ message: "observer" })]);
  });
});
