// How a stream comes off the page that it shares with others, whatever becomes of it: nobody waits for the page for ever.
import { IOLoop } from "@tw/ioloop";
import { nativeAvailable } from "@tw/tooling-testing";
import { describe, expect, it } from "vitest";
import { IOStream, type StreamOptions, type TransportPage } from "../src/index.js";
import { type NativeEngine, NativeTransport, nativeEngine } from "../src/transports.js";
import { bytes, Notes, ScriptedTransport, testLoop, text, turn } from "./helpers.js";
import { tcpDescriptors } from "./native-pairs.js";
import { until } from "./node-pairs.js";
import { selfSigned } from "./self-signed.js";

/** A page as the poller's is. */
class ScriptedPage implements TransportPage {
  owner: object | undefined = undefined;
  readonly size = 16 * 1024;
  readonly #bytes = new Uint8Array(this.size);

  put(chunk: Uint8Array, at: number): number {
    this.#bytes.set(chunk, at);
    return at + chunk.length;
  }

  putText(chunk: string, at: number): number {
    for (let i = 0; i < chunk.length; i++) this.#bytes[at + i] = chunk.charCodeAt(i);
    return at + chunk.length;
  }

  slice(from: number, to: number): Uint8Array {
    return this.#bytes.slice(from, to);
  }
}

class PagedTransport extends ScriptedTransport {
  readonly page: ScriptedPage;

  constructor(page: ScriptedPage) {
    super();
    this.page = page;
  }

  writePage(count: number): number {
    this.calls.push("page:");
    return this.write([this.page.slice(0, count)]);
  }
}

function setUp(options: StreamOptions = {}) {
  const loop = testLoop();
  const page = new ScriptedPage();
  const make = () => {
    const transport = new PagedTransport(page);
    return { transport, stream: new IOStream(transport, { ...options, loop }) };
  };
  return { loop, page, make, ...make() };
}

/** What is queued leaves, and no turn of the loop begins. */
const tick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

describe("sendCopies()", () => {
  it("leaves the page to others while its stream rests", async () => {
    const { loop, page, make, stream, transport } = setUp();
    void stream.write(new Uint8Array(256 * 1024));
    await tick();
    expect(stream.sendCopies(bytes("rested "), "bytes")).toBe(true);
    await tick();
    expect([transport.calls.length, stream.bufferedAmount, page.owner]).toEqual([1, 12, undefined]);
    const other = make();
    expect(other.stream.sendCopies(bytes("other "), "bytes")).toBe(true);
    await tick();
    expect(other.transport.calls).toEqual(["page:", "write other bytes"]);
    await loop.settle();
    expect(transport.calls.slice(1)).toEqual(["write rested bytes"]);
  });

  it("does not take the page to wait with it", async () => {
    const { page, stream, transport } = setUp();
    const cork = stream.cork();
    expect([stream.sendCopies(bytes("a"), "b"), page.owner]).toEqual([false, undefined]);
    cork[Symbol.dispose]();
    expect(stream.sendCopies(bytes("a"), "b")).toBe(true);
    await tick();
    expect(transport.calls).toEqual(["page:", "write ab"]);
  });

  it("leaves the page when what its receiver throws ends the stream", () => {
    const { page, stream, transport } = setUp();
    class Throwing extends Notes {
      override onBytes(): void {
        stream.sendCopies(bytes("never "), "sent");
        expect(page.owner).not.toBe(undefined);
        throw new Error("thrown");
      }
    }
    stream.attach(new Throwing());
    transport.receiver.onBytes(bytes("x"));
    expect([transport.calls, page.owner]).toEqual([["abort thrown"], undefined]);
  });

  it("leaves the page at close() on a closed loop, and its queue serves another stream", async () => {
    const { page, make, stream } = setUp();
    stream.sendCopies(bytes("one "), "stream's");
    stream.loop.close();
    void stream.close();
    expect([page.owner, stream.bufferedAmount]).toEqual([undefined, 0]);
    const other = make();
    other.stream.send("another's");
    other.stream.sendCopies(bytes(" and"), " more");
    other.stream.send("!");
    await tick();
    expect(other.transport.calls).toEqual(["write another's!"]);
  });

  it.each([0, 1, 8, 16])("leaves the page when the transport takes %i bytes of it", async (room) => {
    const { page, make, stream, transport } = setUp();
    const notes = new Notes();
    stream.attach(notes);
    transport.room = room;
    const whole = "sixteen bytes ..";
    stream.sendCopies(bytes(whole.slice(0, 8)), whole.slice(8));
    await tick();
    expect([page.owner, stream.bufferedAmount, stream.flushedAmount]).toEqual([
      undefined,
      16 - room,
      room % 16,
    ]);
    expect(stream.sendCopies(bytes("?"), "?")).toBe(room === 16);
    const other = make();
    expect(other.stream.sendCopies(bytes("overwritten"), "!".repeat(20))).toBe(room < 16);
    if (room === 16) return;
    stream.send(" and more");
    transport.room = 100;
    transport.receiver.onDrain();
    expect(transport.calls.at(-1)).toBe(`write ${whole.slice(room)}| and more`);
    await tick();
    expect(other.transport.calls.at(-1)).toBe(`write overwritten${"!".repeat(20)}`);
  });
});

describe.skipIf(!nativeAvailable)("sendCopies() on the native engine", () => {
  const loop = new IOLoop({ logger: { debug() {}, info() {}, warn() {}, error() {} } });
  const engine = (nativeAvailable ? nativeEngine(loop) : undefined) as NativeEngine;

  function pair(): [IOStream, IOStream] {
    const [a, b] = tcpDescriptors(engine).map(
      (fd) => new IOStream(new NativeTransport(engine, fd, "tcp"), { loop }),
    );
    return [a as IOStream, b as IOStream];
  }

  it("is in plain what is sent before startTls(), and what comes behind is not", async () => {
    const identity = selfSigned();
    const [near, far] = pair();
    expect(near.sendCopies(bytes("220 "), "ready\r\n")).toBe(true);
    const answering = near.startTls({ ...identity, isServer: true });
    expect(engine.poller.page.owner).toBe(undefined);
    expect(near.sendCopies(bytes("not "), "sent")).toBe(false);
    expect(text(await far.readUntil("\r\n"))).toBe("220 ready\r\n");
    const [secure, client] = [
      await far.startTls({ ca: identity.cert, servername: "localhost" }),
      await answering,
    ];
    expect(client.sendCopies(bytes("in "), "TLS")).toBe(false);
    client.send("in TLS");
    expect(text(await secure.readBytes(6))).toBe("in TLS");
    await Promise.all([secure.close(), client.close()]);
  });

  it("leaves the page when the peer is gone, and tells that it is", async () => {
    const [near, far] = pair();
    const notes = new Notes();
    near.attach(notes);
    near.pause();
    far.abort();
    while (!notes.calls.some((call) => call.startsWith("close"))) {
      near.sendCopies(bytes("to "), "nobody");
      await turn();
      expect(engine.poller.page.owner).toBe(undefined);
    }
    expect(notes.calls.at(-1)).toMatch(/^close E(PIPE|CONNRESET)$/);
  });

  it("is in order with what the next owner of the stream sends", async () => {
    const [near, far] = pair();
    const got: string[] = [];
    far.attach(Object.assign(new Notes(), { onBytes: (view: Uint8Array) => void got.push(text(view)) }));
    near.attach(
      Object.assign(new Notes(), {
        onBytes() {
          near.sendCopies(bytes("101 "), "over to you\n");
          near.detach(bytes("x"));
          near.attach(Object.assign(new Notes(), { onBytes: () => void near.send("thanks\n") }));
          expect(near.sendCopies(bytes("too "), "late")).toBe(false);
        },
      }),
    );
    far.send("x");
    await until(() => got.join("").endsWith("thanks\n"));
    expect(got.join("")).toBe("101 over to you\nthanks\n");
    far.abort();
    near.abort();
  });
});
