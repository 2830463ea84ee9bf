// Short pieces that are copied to the memory of a transport, one stream at a time.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { closeSync, openSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { IOStream, type StreamOptions, type StreamSentMessage, type TransportPage } from "../src/index.js";
import { bytes, ScriptedTransport, testLoop, text } from "./helpers.js";
import { settle } from "./node-pairs.js";
import { STREAM_PAIRS } from "./stream-pairs.js";

const SIZE = 64;

class Page implements TransportPage {
  owner: object | undefined = undefined;
  readonly size = SIZE;
  readonly memory: Uint8Array = new Uint8Array(SIZE);

  put(what: Uint8Array, at: number): number {
    this.memory.set(what, at);
    return at + what.length;
  }

  putText(what: string, at: number): number {
    for (const c of what) if (c > "\u00ff") throw new RangeError("not latin1");
    return this.put(bytes(what), at);
  }

  slice(from: number, to: number): Uint8Array {
    return this.memory.slice(from, to);
  }
}

/** What goes from its page is noted as such. */
class PagedTransport extends ScriptedTransport {
  readonly page: Page;

  constructor(page = new Page()) {
    super();
    this.page = page;
  }

  writePage(count: number): number {
    const taken = super.write([this.page.memory.subarray(0, count)]);
    this.calls.push(`page: ${this.calls.pop()}`);
    this.page.memory.fill(0x23, 0, taken);
    return taken;
  }

  drain(room = Number.POSITIVE_INFINITY): void {
    this.room = room;
    this.receiver.onDrain();
  }
}

function paged(options: StreamOptions = {}, page = new Page()) {
  const transport = new PagedTransport(page);
  const loop = testLoop();
  return { loop, page, transport, stream: new IOStream(transport, { loop, ...options }) };
}

const head = bytes("head ");

describe("sendCopies()", () => {
  it("copies at once, and all that follows leaves with it", async () => {
    const { loop, transport, stream, page } = paged();
    const own = bytes("mine ");
    expect(stream.sendCopies(own, "text\u00ff")).toBe(true);
    own.fill(0x78);
    expect(stream.sendCopies(head, "")).toBe(true);
    expect([stream.bufferedAmount, stream.unsentAmount, stream.flushedAmount, stream.writing]).toEqual([
      15,
      15,
      0,
      true,
    ]);
    expect(transport.calls).toEqual([]);
    await loop.settle();
    expect(transport.calls).toEqual(["page: write mine text\u00ffhead "]);
    expect([stream.bufferedAmount, stream.writing, page.owner]).toEqual([0, false, undefined]);
  });

  it("leaves the page to what else is sent, in order", async () => {
    const { loop, transport, stream, page } = paged();
    stream.sendCopies(head, "a");
    stream.send("b");
    expect(page.owner).toBeUndefined();
    expect(stream.sendCopies(head, "c")).toBe(false);
    const written = stream.write(bytes("d"));
    await loop.settle();
    expect(transport.calls).toEqual(["write head a|b|d"]);
    await written;
    expect(stream.sendCopies(head, "e")).toBe(true);
    await loop.settle();
    expect(transport.calls.at(-1)).toBe("page: write head e");
  });

  it("is no good while something else is queued, or the peer takes no more", async () => {
    const { loop, transport, stream } = paged();
    transport.room = 3;
    expect(stream.sendCopies(head, "text")).toBe(true);
    await loop.settle();
    expect(transport.calls).toEqual(["page: write head text took 3"]);
    expect([stream.bufferedAmount, stream.flushedAmount]).toEqual([6, 3]);
    expect(stream.sendCopies(head, "no")).toBe(false);
    stream.send("more");
    transport.drain(1);
    expect(transport.calls.at(-1)).toBe("write d text|more took 1");
    transport.drain();
    expect(transport.calls.at(-1)).toBe("write  text|more");
    expect(stream.sendCopies(head, "yes")).toBe(true);
  });

  it("keeps what the kernel took nothing of", async () => {
    const { loop, transport, stream, page } = paged();
    transport.room = 0;
    stream.sendCopies(head, "1");
    await loop.settle();
    expect([page.owner, stream.bufferedAmount]).toEqual([undefined, 6]);
    page.memory.fill(0x40);
    transport.drain();
    expect(transport.calls.at(-1)).toBe("write head 1");
  });

  it("is one stream's at a time: another one sends as ever", async () => {
    const page = new Page();
    const one = paged({}, page);
    const other = paged({}, page);
    expect(one.stream.sendCopies(head, "1")).toBe(true);
    expect(other.stream.sendCopies(head, "2")).toBe(false);
    other.stream.send("head 2");
    await one.loop.settle();
    expect(one.transport.calls).toEqual(["page: write head 1"]);
    expect(other.transport.calls).toEqual(["write head 2"]);
    expect(other.stream.sendCopies(head, "3")).toBe(true);
    expect(one.stream.sendCopies(head, "4")).toBe(false);
    await other.loop.settle();
    expect(other.transport.calls.at(-1)).toBe("page: write head 3");
  });

  it("fills the page, and maxWriteBufferSize, and not a byte more", async () => {
    for (const [limit, options] of [
      [SIZE, {}],
      [20, { maxWriteBufferSize: 20 }],
    ] as const) {
      const { loop, stream } = paged(options);
      expect(stream.sendCopies(head, "x".repeat(limit - 4))).toBe(false);
      expect([stream.writing, stream.sendCopies(head, "x".repeat(limit - 5))]).toEqual([false, true]);
      expect(stream.sendCopies(head, "")).toBe(false);
      await loop.settle();
      expect(stream.sendCopies(head, "x".repeat(limit - 11))).toBe(true);
      expect(stream.sendCopies(head, "xx")).toBe(false);
      expect(stream.sendCopies(head, "x")).toBe(true);
      expect(stream.bufferedAmount).toBe(limit);
    }
  });

  it("resolves who waits for bytes before and behind it", async () => {
    const { loop, transport, stream } = paged();
    transport.room = 7;
    stream.sendCopies(head, "ab");
    const waits = stream.write("cd");
    let done = false;
    void waits.then(() => {
      done = true;
    });
    await loop.settle();
    expect(done).toBe(false);
    transport.drain();
    await waits;
    expect(transport.calls).toEqual(["write head ab|cd took 7", "write cd"]);
  });

  it("waits for no cork: what is corked leaves the page, and what is sent meanwhile does not come to it", async () => {
    const { loop, transport, stream, page } = paged();
    stream.sendCopies(head, "1");
    const cork = stream.cork();
    expect(page.owner).toBeUndefined();
    expect(stream.sendCopies(head, "2")).toBe(false);
    stream.send("3");
    await loop.settle();
    expect(transport.calls).toEqual([]);
    cork[Symbol.dispose]();
    await loop.settle();
    expect(transport.calls).toEqual(["write head 1|3"]);
  });

  it("goes before a file that is sent behind it", async () => {
    const { loop, transport, stream, page } = paged();
    const calls = transport.calls;
    (transport as { sendFile?: unknown }).sendFile = (
      _fd: number,
      offset: number,
      length: number,
    ): number => {
      calls.push(`file ${offset}+${length}`);
      return length;
    };
    const fd = openSync(new URL(import.meta.url), "r");
    stream.sendCopies(head, "1");
    const sent = stream.sendFile({ fd, offset: 3, length: 4 });
    expect([page.owner, stream.bufferedAmount]).toEqual([undefined, 6]);
    expect(stream.sendCopies(head, "2")).toBe(false);
    stream.send("behind");
    await loop.settle();
    await sent.finally(() => closeSync(fd));
    expect(calls).toEqual(["write head 1", "file 3+4", "write behind"]);
  });

  for (const [how, finish] of [
    ["end", (stream: IOStream) => stream.end()],
    ["close", (stream: IOStream) => void stream.close()],
  ] as const)
    it(`goes before the FIN of ${how}(), and nothing comes behind that`, async () => {
      const { loop, transport, stream, page } = paged();
      stream.sendCopies(head, "1");
      finish(stream);
      expect(stream.sendCopies(head, "2")).toBe(false);
      await loop.settle();
      expect(transport.calls.slice(0, 2)).toEqual(["page: write head 1", "end"]);
      expect(page.owner).toBeUndefined();
      stream.abort();
    });

  it("is dropped by abort(), and by the transport's end, which give the page back", async () => {
    for (const end of [
      ({ stream }: ReturnType<typeof paged>) => stream.abort(new Error("enough")),
      ({ transport }: ReturnType<typeof paged>) => transport.receiver.onClose(new Error("gone")),
    ]) {
      const all = paged();
      const { loop, transport, stream, page } = all;
      stream.sendCopies(head, "1");
      end(all);
      expect([page.owner, stream.bufferedAmount, stream.sendCopies(head, "2")]).toEqual([
        undefined,
        0,
        false,
      ]);
      await loop.settle();
      expect(transport.calls.filter((call) => call.includes("write"))).toEqual([]);
      // The queue that it had serves another stream now.
      const next = paged();
      next.stream.send("whole");
      await next.loop.settle();
      expect(next.transport.calls).toEqual(["write whole"]);
    }
  });

  it("throws for what are no bytes and no latin1 text, and nothing is queued", () => {
    const { stream, page } = paged();
    for (const bad of [
      undefined,
      null,
      5,
      "text",
      [1, 2],
      new DataView(new ArrayBuffer(2)),
      new Uint16Array(2),
    ])
      expect(() => stream.sendCopies(bad as never, "x"), String(bad)).toThrow(TypeError);
    for (const bad of [undefined, null, 5, bytes("x"), ["x"], { length: 1 }])
      expect(() => stream.sendCopies(head, bad as never), String(bad)).toThrow(TypeError);
    expect(() => stream.sendCopies(head, "\u0100")).toThrow(RangeError);
    expect([stream.writing, page.owner]).toEqual([false, undefined]);
    expect(stream.sendCopies(head, "x")).toBe(true);
    expect(() => stream.sendCopies(head, "\u010a")).toThrow(RangeError);
    expect(stream.bufferedAmount).toBe(6);
  });

  it("has nothing to send of nothing", () => {
    const { stream, page } = paged();
    expect(stream.sendCopies(bytes(""), "")).toBe(false);
    expect([stream.writing, page.owner]).toEqual([false, undefined]);
  });

  it("is told on the channel as what it is, whenever somebody began to listen", async () => {
    const { loop, stream } = paged();
    const told: string[] = [];
    const hear = (message: unknown): void => {
      const { stream: of, chunks } = message as StreamSentMessage;
      for (const chunk of of === stream ? chunks : [])
        told.push(typeof chunk === "string" ? chunk : text(chunk));
    };
    stream.sendCopies(head, "1");
    subscribe("tw:iostream:sent", hear);
    try {
      await loop.settle();
      expect(stream.sendCopies(head, "2")).toBe(false);
    } finally {
      unsubscribe("tw:iostream:sent", hear);
    }
    expect(told).toEqual(["head 1"]);
  });
});

describe("sendCopies() on every transport", () => {
  for (const [name, make] of Object.entries(STREAM_PAIRS)) {
    if (make === undefined) continue;
    it(`${name}: all that is sent arrives once and in order, whether it says true or false`, async () => {
      const [a, b] = await make();
      let expected = "";
      const arrived = b.readBytes(9000);
      let copied = 0;
      for (let i = 0; expected.length < 9000; i++) {
        const body = `${i} `.repeat(i % 7);
        expected += `head ${body}`;
        if (a.sendCopies(head, body)) copied++;
        else a.send(`head ${body}`);
        if (i % 5 === 4) await settle();
        if (i % 11 === 10) {
          a.send("between");
          expected += "between";
        }
      }
      expect(copied > 0).toBe(name === "native, TCP" || name === "native, Unix socket");
      expect(text(await arrived)).toBe(expected.slice(0, 9000));
      a.abort();
      b.abort();
    });
  }
});
