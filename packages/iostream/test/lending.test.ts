// A receiver sends on what it is given without a copy of its own, and the memory is read into again at once.
import { describe, expect, it } from "vitest";
import { IOStream, type StreamReceiver } from "../src/index.js";
import { nativeEngine } from "../src/transports.js";
import { bytes, ScriptedTransport, testLoop, text, turn } from "./helpers.js";
import { loop as realLoop } from "./node-pairs.js";
import { STREAM_PAIRS } from "./stream-pairs.js";
import { pattern, TemporaryFiles } from "./temporary-files.js";

const silent = { onEnd() {}, onDrain() {}, onClose() {} };

function feeding(onBytes: StreamReceiver["onBytes"]): StreamReceiver {
  return { onBytes, ...silent };
}

/** A transport whose views are of one memory, overwritten when they were looked at. */
class LendingTransport extends ScriptedTransport {
  readonly sendsViews: boolean;
  readonly memory: Uint8Array = new Uint8Array(16);
  readonly offered: (Uint8Array | string)[] = [];
  sent = "";

  constructor(sendsViews: boolean) {
    super();
    this.sendsViews = sendsViews;
  }

  feed(what: string): void {
    this.memory.set(bytes(what));
    this.receiver.onBytes(this.memory.subarray(0, what.length));
    this.memory.fill(0x23);
  }

  override write(chunks: readonly (Uint8Array | string)[]): number {
    this.offered.push(...chunks);
    const all = chunks.map((chunk) => (typeof chunk === "string" ? chunk : text(chunk))).join("");
    const taken = super.write(chunks);
    this.sent += all.slice(0, taken);
    return taken;
  }

  drain(): void {
    this.room = Number.POSITIVE_INFINITY;
    this.receiver.onDrain();
  }

  /** Whether the chunks offered so far are in the memory of the views. */
  get views(): boolean[] {
    return this.offered.map((chunk) => typeof chunk !== "string" && chunk.buffer === this.memory.buffer);
  }
}

function lending(sendsViews: boolean) {
  const loop = testLoop();
  const transport = new LendingTransport(sendsViews);
  return { loop, transport, stream: new IOStream(transport, { loop }) };
}

describe("the view that a receiver is given", () => {
  it("goes as it is to the transport it came from, where that may be", () => {
    const { stream, transport } = lending(true);
    stream.attach(feeding((view) => void stream.send(view)));
    transport.feed("abc");
    expect(transport.views).toEqual([true]);
    expect(transport.sent).toBe("abc");
  });

  it("is copied where the transport keeps what it is given, or says nothing of it", () => {
    const { stream, transport } = lending(false);
    const unspoken = new ScriptedTransport();
    const other = new IOStream(unspoken, { loop: testLoop() });
    const view = bytes("abc");
    unspoken.write = ([chunk]) => {
      expect(chunk).toEqual(view);
      expect(chunk).not.toBe(view);
      return 3;
    };
    stream.attach(feeding((view) => void stream.send(view)));
    other.attach(feeding((view) => void other.send(view)));
    transport.feed("abc");
    unspoken.receiver.onBytes(view);
    expect(transport.views).toEqual([false]);
    expect(transport.sent).toBe("abc");
    expect.assertions(4);
  });

  it("is copied when the receiver returns, as far as the kernel left it", () => {
    for (const room of [0, 1, 2, 3, 4]) {
      const { stream, transport } = lending(true);
      transport.room = room;
      stream.attach(
        feeding((view) => {
          stream.send("<");
          stream.send(view.subarray(1));
          stream.send(Buffer.from(view.buffer, view.byteOffset, 1));
        }),
      );
      transport.feed("abc");
      expect(transport.sent).toBe("<bca".slice(0, room));
      transport.drain();
      expect(transport.sent).toBe("<bca");
    }
  });

  it("is copied at once where the stream waits for its peer, or is corked", async () => {
    const { loop, stream, transport } = lending(true);
    stream.attach(feeding((view) => void stream.send(view)));
    transport.room = 0;
    transport.feed("ab");
    transport.feed("cd");
    transport.drain();
    expect(transport.sent).toBe("abcd");
    const cork = stream.cork();
    transport.feed("ef");
    cork[Symbol.dispose]();
    await loop.settle();
    await turn();
    expect(transport.sent).toBe("abcdef");
  });

  it("is copied by every other stream", async () => {
    const from = lending(true);
    const to = lending(true);
    from.stream.attach(
      feeding((view) => {
        to.stream.send(view);
        void to.stream.write(view.subarray(1));
      }),
    );
    from.transport.feed("abc");
    await turn();
    expect(to.transport.sent).toBe("abcbc");
    expect(to.transport.offered.some((chunk) => typeof chunk !== "string" && text(chunk).includes("#"))).toBe(
      false,
    );
  });

  it("is known again when another stream's receiver has run meanwhile", async () => {
    const outer = lending(true);
    const inner = lending(true);
    inner.stream.attach(feeding((view) => void inner.stream.send(view)));
    outer.stream.attach(
      feeding((view) => {
        outer.stream.send(view);
        inner.transport.feed("inner");
        inner.stream.send(view);
        outer.stream.send(view);
      }),
    );
    outer.transport.room = 1;
    outer.transport.feed("abc");
    outer.transport.drain();
    await turn();
    expect([outer.transport.sent, inner.transport.sent]).toEqual(["abcabc", "innerabc"]);
  });

  it("is nobody's any more when its receiver has returned or thrown", async () => {
    const { stream, transport } = lending(true);
    const other = lending(true);
    stream.attach(
      feeding(() => {
        throw new Error("of the receiver");
      }),
    );
    transport.feed("abc");
    const same = bytes("same");
    other.stream.send(same);
    await turn();
    expect(other.transport.offered).toEqual([same]);
    expect(other.transport.offered[0]).toBe(same);
  });

  it("leaves before a file that is sent behind it", async () => {
    const file = new TemporaryFiles().make(pattern(100));
    const { stream, transport } = lending(true);
    transport.room = 1;
    let sent: Promise<void> | undefined;
    stream.attach(
      feeding((view) => {
        stream.send(view);
        sent = stream.sendFile({ fd: file.fd, offset: 0, length: 100 });
      }),
    );
    transport.feed("abc");
    transport.drain();
    await sent;
    expect(transport.sent).toBe(`abc${pattern(100).toString("latin1")}`);
  });
});

describe("an echo of views", () => {
  const total = 3_000_000;
  for (const [name, make] of Object.entries(STREAM_PAIRS)) {
    it.skipIf(make === undefined)(`loses and changes nothing: ${name}`, async () => {
      const engine = nativeEngine(realLoop);
      if (engine !== undefined) engine.slabs.poison = true;
      const [near, far] = await (make as NonNullable<typeof make>)();
      for (const [stream, peer] of [
        [far, near],
        [near, far],
      ] as const) {
        stream.attach({
          onBytes: (view) => {
            if (!stream.send(view)) stream.pause();
          },
          onDrain: () => stream.resume(),
          onEnd: () => stream.end(),
          onClose() {},
        });
        const given = pattern(total);
        void peer.write(given);
        // Until the echo has filled the kernel's buffers, and waits with what it was given last.
        for (let i = 0; i < 50; i++) await turn();
        let at = 0;
        while (at < total) {
          const got = await peer.readBytes(Math.min(50_000, total - at));
          expect(Buffer.compare(got, given.subarray(at, at + got.length))).toBe(0);
          at += got.length;
          if (at % 400_000 === 0) await turn();
        }
        stream.detach();
      }
      near.abort();
      far.abort();
      if (engine !== undefined) engine.slabs.poison = false;
    });
  }
});
