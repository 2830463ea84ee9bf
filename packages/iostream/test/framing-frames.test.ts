import { AsyncLocalStorage } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { type Codec, fixed, jsonLines, lengthPrefixed, lines, UNKNOWN } from "../src/framing.js";
import { IOStream } from "../src/index.js";
import { seededRandom } from "../src/testing/garbage.js";
import { memoryPair } from "../src/transports.js";
import { bytes, Notes, ScriptedTransport, type TestLoop, testLoop, text } from "./helpers.js";

const line = lines({ maxFrameSize: 8 });

function scripted() {
  const loop = testLoop();
  const transport = new ScriptedTransport();
  const stream = new IOStream(transport, { loop });
  const feed = (what: string): unknown => transport.receiver.onBytes(bytes(what));
  return { loop, transport, stream, feed };
}

function pair(options?: Parameters<typeof memoryPair>[1]): { loop: TestLoop; a: IOStream; b: IOStream } {
  const loop = testLoop();
  const [near, far] = memoryPair(loop, options);
  return { loop, a: new IOStream(near, { loop }), b: new IOStream(far, { loop }) };
}

async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

describe("stream.frames()", () => {
  it("gives the messages in order, and ends when the peer does", async () => {
    const { loop, a, b } = pair();
    const got = collect(b.frames(line));
    a.frames(line).send("one");
    await a.frames(line).write("two");
    a.end();
    await loop.settle();
    expect(await got).toEqual(["one", "two"]);
    expect(b.closed).toBe(false);
  });

  it("reads nothing before it is iterated, and answers on the same object", async () => {
    const { loop, a, b } = pair();
    const frames = b.frames(line);
    a.write("early\nlate\n");
    await loop.settle();
    const first = await b.readUntil("\n", { maxBytes: 10 });
    expect(text(first)).toBe("early\n");
    for await (const message of frames) {
      await frames.write(message.toUpperCase());
      break;
    }
    await loop.settle();
    expect(text(await a.readUntil("\n", { maxBytes: 10 }))).toBe("LATE\n");
  });

  it("after break the next read begins behind the last message", async () => {
    const { stream, feed } = scripted();
    feed("a\nb\nraw");
    for await (const message of stream.frames(line)) {
      expect(message).toBe("a");
      break;
    }
    for await (const message of stream.frames(line)) {
      expect(message).toBe("b");
      break;
    }
    expect(text(await stream.readBytes(3))).toBe("raw");
  });

  it("what the loop's body throws leaves the stream as break does", async () => {
    const { stream, feed } = scripted();
    feed("a\nb\n");
    const failing = async () => {
      for await (const _ of stream.frames(line)) throw new Error("user");
    };
    await expect(failing()).rejects.toThrow("user");
    expect(text(await stream.readUntil("\n"))).toBe("b\n");
  });

  it("with nobody asking reads at most one view ahead, and lets the transport go on when somebody asks", async () => {
    const { transport, stream, feed } = scripted();
    const reader = stream.frames(fixed(1))[Symbol.asyncIterator]();
    const first = reader.next();
    feed("abc");
    expect(transport.calls).toEqual(["pause"]);
    expect(text((await first).value as Uint8Array)).toBe("a");
    expect(text((await reader.next()).value as Uint8Array)).toBe("b");
    expect(text((await reader.next()).value as Uint8Array)).toBe("c");
    expect(transport.calls).toEqual(["pause"]);
    reader.next();
    expect(transport.calls).toEqual(["pause", "resume"]);
  });

  it("a frame whose rest is awaited pauses nothing", async () => {
    const { transport, stream, feed } = scripted();
    const reader = stream.frames(line)[Symbol.asyncIterator]();
    const first = reader.next();
    feed("ab");
    feed("c\n");
    expect((await first).value).toBe("abc");
    expect(transport.calls).toEqual([]);
  });

  it("an end within a frame is ERR_TW_FRAME_INCOMPLETE, behind the whole messages", async () => {
    const { transport, stream, feed } = scripted();
    const reader = stream.frames(line)[Symbol.asyncIterator]();
    feed("ok\nha");
    expect((await reader.next()).value).toBe("ok");
    const second = reader.next();
    transport.receiver.onEnd();
    await expect(second).rejects.toMatchObject({ code: "ERR_TW_FRAME_INCOMPLETE" });
    expect(await reader.next()).toEqual({ done: true, value: undefined });
    expect(text(await stream.readBytes(2))).toBe("ha");
  });

  it("a broken stream is StreamClosedError with its cause, behind the whole messages", async () => {
    const { transport, stream, feed } = scripted();
    const reader = stream.frames(line)[Symbol.asyncIterator]();
    feed("ok\nha");
    transport.receiver.onClose(Object.assign(new Error("reset"), { code: "ECONNRESET" }));
    expect((await reader.next()).value).toBe("ok");
    await expect(reader.next()).rejects.toMatchObject({
      code: "ERR_TW_STREAM_CLOSED",
      cause: { code: "ECONNRESET" },
    });
  });

  it.each(["close", "abort"] as const)("%s() ends who waits, and who asks later", async (how) => {
    const { loop, a } = pair();
    const reader = a.frames(line)[Symbol.asyncIterator]();
    const waiting = reader.next();
    a[how]();
    await loop.settle(20_000);
    await expect(waiting).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
    await expect(collect(a.frames(line))).rejects.toMatchObject({ code: "ERR_TW_STREAM_CLOSED" });
  });

  it.each([
    ["too large", "ok\n123456789\n", "ERR_TW_FRAME_TOO_LARGE"],
    ["malformed", "ok\n\xff\n", "ERR_TW_FRAME_MALFORMED"],
  ])(
    "a frame that is %s comes behind the messages before it and leaves the stream open",
    async (_, wire, code) => {
      const { transport, stream, feed } = scripted();
      feed(wire);
      const got: string[] = [];
      const reading = async () => {
        for await (const message of stream.frames(line)) got.push(message);
      };
      await expect(reading()).rejects.toMatchObject({ code });
      expect(got).toEqual(["ok"]);
      await stream.write("sorry\n");
      expect(transport.calls).toContain("write sorry\n");
      expect(transport.calls.filter((call) => call !== "write sorry\n").at(-1)).toBe("pause");
    },
  );

  it("an endless frame ends in the error within its limit, not in growth", async () => {
    const { loop, a, b } = pair();
    const reading = collect(b.frames(line)).catch((error: unknown) => error);
    for (let i = 0; i < 300; i++) a.send("x".repeat(1000));
    await loop.settle();
    expect(await reading).toMatchObject({ code: "ERR_TW_FRAME_TOO_LARGE" });
    await loop.settle();
    expect(a.bufferedAmount).toBeGreaterThan(0);
  });

  it("signal rejects who waits and leaves every byte where it was", async () => {
    const { stream, feed } = scripted();
    const controller = new AbortController();
    const reader = stream.frames(line, { signal: controller.signal })[Symbol.asyncIterator]();
    const waiting = reader.next();
    feed("ab");
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect(await reader.next()).toEqual({ done: true, value: undefined });
    feed("c\n");
    expect(text(await stream.readUntil("\n"))).toBe("abc\n");
  });

  it("signal aborted before, or between two messages, rejects the next question", async () => {
    const { stream, feed } = scripted();
    feed("a\nb\n");
    const controller = new AbortController();
    const reader = stream.frames(line, { signal: controller.signal })[Symbol.asyncIterator]();
    expect((await reader.next()).value).toBe("a");
    controller.abort(new Error("enough"));
    await expect(reader.next()).rejects.toThrow("enough");
    await expect(collect(stream.frames(line, { signal: AbortSignal.abort("now") }))).rejects.toBe("now");
    expect(text(await stream.readUntil("\n"))).toBe("b\n");
  });

  it("leaves nothing on a signal that lives on, however the iteration ends", async () => {
    const { signal } = new AbortController();
    const listeners = () => getEventListeners(signal, "abort").length;
    const { stream, feed, transport } = scripted();
    feed("a\nb\n\xff\n");
    for await (const _ of stream.frames(line, { signal })) {
      expect(listeners()).toBe(1);
      break;
    }
    expect(listeners()).toBe(0);
    await expect(collect(stream.frames(line, { signal }))).rejects.toMatchObject({
      code: "ERR_TW_FRAME_MALFORMED",
    });
    expect(listeners()).toBe(0);
    await stream.readBytes(2);
    const ending = collect(stream.frames(line, { signal }));
    transport.receiver.onEnd();
    expect(await ending).toEqual([]);
    expect(listeners()).toBe(0);
  });

  it("a clean end stays one when the stream is gone by the time somebody asks", async () => {
    const { transport, stream, feed } = scripted();
    const reader = stream.frames(line)[Symbol.asyncIterator]();
    const first = reader.next();
    feed("a\n");
    transport.receiver.onEnd();
    transport.receiver.onClose();
    expect((await first).value).toBe("a");
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });

  it("is the only reader: a second one, a read and a receiver are StreamBusyError", async () => {
    const { stream, feed } = scripted();
    const reader = stream.frames(line)[Symbol.asyncIterator]();
    const first = reader.next();
    const busy = expect.objectContaining({ code: "ERR_TW_STREAM_BUSY" });
    await expect(reader.next()).rejects.toEqual(busy);
    await expect(stream.readBytes(1)).rejects.toEqual(busy);
    expect(() => stream.frames(line)[Symbol.asyncIterator]()).toThrow(busy);
    feed("a\n");
    expect((await first).value).toBe("a");
    await reader.return?.();
    stream.readBytes(1);
    expect(() => stream.frames(line)[Symbol.asyncIterator]()).toThrow(busy);
    const other = scripted();
    other.stream.attach(new Notes());
    expect(() => other.stream.frames(line)[Symbol.asyncIterator]()).toThrow(busy);
  });

  it("return() while a message is awaited ends that wait", async () => {
    const { stream } = scripted();
    const reader = stream.frames(line)[Symbol.asyncIterator]();
    const waiting = reader.next();
    await reader.return?.();
    await reader.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
  });

  it("refuses a message that cannot be framed before anything is sent", () => {
    const { transport, stream } = scripted();
    const frames = stream.frames(line);
    expect(() => frames.write("12345678")).toThrow(
      expect.objectContaining({ code: "ERR_TW_FRAME_TOO_LARGE" }),
    );
    expect(() => frames.send("a\nb")).toThrow(RangeError);
    expect(transport.calls).toEqual([]);
    expect(() => stream.frames({ ...line, maxFrameSize: Number.POSITIVE_INFINITY })).toThrow(RangeError);
  });

  it("sends no frame beyond maxFrameSize, whichever codec made it", async () => {
    const { loop, a, b } = pair();
    // As one may write it: nothing says how long a text may be.
    const counted: Codec<string> = {
      maxFrameSize: 101,
      measure: (view, start, end) =>
        end - start < 2 ? UNKNOWN : 2 + Number(text(view.subarray(start, start + 2))),
      decode: (view, start, end) => text(view.subarray(start + 2, end)),
      encode: (message) => bytes(`${String(message.length).padStart(2, "0")}${message}`),
    };
    const got = collect(b.frames(counted));
    const out = a.frames(counted);
    const tooLarge = expect.objectContaining({ code: "ERR_TW_FRAME_TOO_LARGE" });
    out.send("x".repeat(99));
    expect(() => out.write("9".repeat(100))).toThrow(tooLarge);
    expect(() => out.send("9".repeat(100))).toThrow(tooLarge);
    a.end();
    await loop.settle();
    expect(await got).toEqual(["x".repeat(99)]);
  });

  it("keeps the async context of the loop", async () => {
    const storage = new AsyncLocalStorage<string>();
    const { stream, feed } = scripted();
    const got = storage.run("mine", async () => {
      const seen: (string | undefined)[] = [];
      for await (const _ of stream.frames(line)) if (seen.push(storage.getStore()) === 3) break;
      return seen;
    });
    storage.run("other", () => feed("a\nb\n"));
    await Promise.resolve();
    storage.run("other", () => feed("c\n"));
    expect(await got).toEqual(["mine", "mine", "mine"]);
  });
});

describe("frames().batches()", () => {
  it("gives what has come together, and the error of a bad frame behind what was before it", async () => {
    const { transport, stream, feed } = scripted();
    const reader = stream.frames(line).batches()[Symbol.asyncIterator]();
    const first = reader.next();
    feed("a\nb\nc");
    expect((await first).value).toEqual(["a", "b"]);
    const second = reader.next();
    feed("c\nd\n123456789\n");
    expect((await second).value).toEqual(["cc", "d"]);
    await expect(reader.next()).rejects.toMatchObject({ code: "ERR_TW_FRAME_TOO_LARGE" });
    transport.receiver.onEnd();
    expect(text(await stream.readUntil("\n"))).toBe("123456789\n");
  });

  it("ends as the messages do", async () => {
    const { loop, a, b } = pair();
    const got = collect(b.frames(line).batches());
    await a.write("a\nb\n");
    a.end();
    await loop.settle();
    expect(await got).toEqual([["a", "b"]]);
  });
});

describe("frames over a memory network", () => {
  it.each([1, 2, 3, 4])(
    "random pauses, sizes and split points lose and reorder nothing (seed %i)",
    async (seed) => {
      const random = seededRandom(seed);
      const { loop, a, b } = pair({ capacity: 100 + random(5000) });
      const out = a.frames(lengthPrefixed({ prefix: "varint", maxFrameSize: 3000 }));
      const sent = Array.from({ length: 300 }, (_, i) =>
        new Uint8Array(random(i % 9 === 0 ? 2900 : 40)).fill(i),
      );
      const sending = (async () => {
        for (const message of sent) {
          if (random(3) === 0) await out.write(message);
          else out.send(message);
        }
        a.end();
      })();
      const got: Uint8Array[] = [];
      const receiving = (async () => {
        for await (const message of b.frames(lengthPrefixed({ prefix: "varint", maxFrameSize: 3000 }))) {
          got.push(message);
          if (random(10) === 0) await new Promise<void>((resolve) => loop.callLater(random(5), resolve));
        }
      })();
      for (let i = 0; i < 2000 && got.length < sent.length; i++) await loop.settle(5);
      await loop.settle(10);
      await Promise.all([sending, receiving]);
      expect(got).toEqual(sent);
    },
  );

  it("a conversation of JSON lines", async () => {
    const { loop, a, b } = pair();
    const codec = jsonLines<{ n: number }>({ maxFrameSize: 64 });
    const server = (async () => {
      const frames = b.frames(codec);
      for await (const { n } of frames) await frames.write({ n: n * 2 });
    })();
    const client = (async () => {
      const frames = a.frames(codec);
      const got: number[] = [];
      frames.send({ n: 1 });
      for await (const { n } of frames) {
        got.push(n);
        if (n > 100) break;
        frames.send({ n });
      }
      a.end();
      return got;
    })();
    await loop.settle(10);
    expect(await client).toEqual([2, 4, 8, 16, 32, 64, 128]);
    await loop.settle(10);
    await server;
  });
});
