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
    void this.lend(what);
  }

  /** The memory is another's when the receiver has returned, or its promise has settled. */
  lend(what: string): void | Promise<void> {
    this.memory.set(bytes(what));
    const lease = this.receiver.onBytes(this.memory.subarray(0, what.length));
    if (lease === undefined) this.memory.fill(0x23);
    else return lease.then(() => void this.memory.fill(0x23));
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

  it("is known to whoever runs within its receiver's call, files included", async () => {
    const file = new TemporaryFiles().make(pattern(100));
    const outer = lending(true);
    const inner = lending(true);
    const third = lending(true);
    let sent: Promise<void> | undefined;
    outer.transport.room = 1;
    outer.stream.attach(
      feeding((view) => {
        outer.stream.send(view);
        inner.stream.attach(
          feeding(() => {
            third.stream.send(view);
            sent = outer.stream.sendFile({ fd: file.fd, offset: 0, length: 100 });
            outer.stream.send(view);
          }),
        );
        inner.transport.feed("inner");
      }),
    );
    outer.transport.feed("abc");
    outer.transport.drain();
    await sent;
    await turn();
    expect(third.transport.sent).toBe("abc");
    expect(outer.transport.sent).toBe(`abc${pattern(100).toString("latin1")}abc`);
  });

  it("is copied by whoever sends it under its receiver's promise, and is nobody's when that has settled", async () => {
    for (const fails of [false, true]) {
      const { stream, transport } = lending(true);
      const other = lending(true);
      stream.attach(
        feeding(async (view) => {
          void stream.send(view.subarray(0, 1));
          await undefined;
          void stream.send(view.subarray(1));
          void other.stream.write(view);
          if (fails) throw new Error("of the receiver");
        }),
      );
      await transport.lend("abc");
      await turn();
      expect([transport.sent, other.transport.sent]).toEqual([fails ? "a" : "abc", "abc"]);
      const later = transport.memory.subarray(0, 2);
      other.stream.send(later);
      await turn();
      expect(other.transport.offered.at(-1)).toBe(later);
    }
  });

  it("is copied under either of two promises for the same memory, also during another's call", async () => {
    const { stream, transport } = lending(true);
    const other = lending(true);
    const sender = lending(true);
    const held: [Uint8Array, () => void][] = [];
    for (const { stream: each } of [{ stream }, other])
      each.attach(
        feeding((view) => {
          if (text(view) === "now") sender.stream.send((held[0] as (typeof held)[0])[0]);
          else return new Promise((settle) => held.push([view, settle]));
        }),
      );
    const first = transport.receiver.onBytes(transport.memory.subarray(0, 2));
    const second = other.transport.receiver.onBytes(transport.memory.subarray(2, 4));
    held[1]?.[1]();
    await second;
    transport.memory.set(bytes("ab"));
    other.transport.feed("now");
    transport.memory.fill(0x23);
    await turn();
    expect(sender.transport.sent).toBe("ab");
    held[0]?.[1]();
    await first;
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
      for (const slabs of engine?.slabs ?? []) slabs.poison = true;
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
      for (const slabs of engine?.slabs ?? []) slabs.poison = false;
    });
  }
});
