// Frames over real sockets on both engines: whatever the kernel makes of the pieces, the messages are the messages.
import { createHash } from "node:crypto";
import { onEveryEngine } from "@tw/tooling-testing";
import { concatBytes } from "@tw/util";
import { describe, expect, it } from "vitest";
import {
  type Codec,
  delimited,
  FrameDecoder,
  jsonLines,
  lengthPrefixed,
  lines,
  regex,
} from "../src/framing.js";
import { IOStream } from "../src/index.js";
import { type Random, seededRandom } from "../src/testing/garbage.js";
import { type NativeEngine, NativeTransport, nativeEngine } from "../src/transports.js";
import { tcpDescriptors } from "./native-pairs.js";
import { loop, nodePair, settle } from "./node-pairs.js";

const maxFrameSize = 200_000;

const CODECS: Record<string, readonly [Codec<unknown, never>, (random: Random) => unknown]> = {
  varint: entry(lengthPrefixed({ prefix: "varint", maxFrameSize }), (random) =>
    noise(sizeOf(random), random),
  ),
  lines: entry(lines({ maxFrameSize }), (random) => "grüße ".repeat(sizeOf(random) / 10)),
  delimited: entry(delimited("\r\n\r\n", { maxFrameSize }), (random) => noise(sizeOf(random), random, 10)),
  jsonLines: entry(jsonLines({ maxFrameSize }), (random) => ({
    n: random(1e6),
    text: "x".repeat(sizeOf(random)),
  })),
  regex: entry(regex(/[;!]+#/, { maxFrameSize }), (random) =>
    concatBytes([noise(random(300), random, 10), Uint8Array.of(0x3b, 0x21, 0x23)]),
  ),
};

function entry<T>(codec: Codec<T>, make: (random: Random) => T): (typeof CODECS)[string] {
  return [codec as Codec<unknown, never>, make];
}

/** Mostly short, now and then larger than a view. */
function sizeOf(random: Random): number {
  return random(40) === 0 ? random(190_000) : random(60);
}

function noise(size: number, random: Random, from = 0): Uint8Array {
  return new Uint8Array(size).fill(from === 0 ? random(256) : 0x61 + random(20));
}

onEveryEngine((engine) => {
  const connect = async (): Promise<[IOStream, IOStream]> => {
    if (engine === "node") {
      const { connected, accepted } = await nodePair("tcp");
      return [new IOStream(connected, { loop }), new IOStream(accepted, { loop })];
    }
    const native = nativeEngine(loop) as NativeEngine;
    const [accepted, connected] = tcpDescriptors(native);
    const stream = (fd: number) => new IOStream(new NativeTransport(native, fd, "tcp"), { loop });
    return [stream(connected), stream(accepted)];
  };

  describe.each(Object.entries(CODECS))("frames of %s over TCP", (_name, [codec, make]) => {
    it.each([1, 2])("arrive in order and whole, chopped and paused at random (seed %i)", async (seed) => {
      const random = seededRandom(seed);
      const messages = Array.from({ length: 400 }, () => make(random));
      const wire = concatBytes(messages.map((message) => codec.encode(message as never)));
      const [near, far] = await connect();
      const sending = (async () => {
        for (let at = 0; at < wire.length; ) {
          const size = random(3) === 0 ? 1 + random(20) : 1 + random(100_000);
          const written = near.write(wire.slice(at, at + size));
          at += size;
          if (random(4) === 0) await written;
        }
        near.end();
      })();
      let seen = 0;
      for await (const message of far.frames(codec)) {
        if (!same(message, messages[seen])) expect(message).toEqual(messages[seen]);
        seen++;
        if (random(60) === 0) await settle();
      }
      await sending;
      expect(seen).toBe(messages.length);
      await Promise.all([near.close(), far.close()]);
    });
  });

  it("a receiver decodes without a promise, and hands the stream on in the middle of a view", async () => {
    const [near, far] = await connect();
    const codec = lines({ maxFrameSize: 100 });
    near.write("a\nb\nUPGRADE\nraw bytes");
    const heard: string[] = [];
    const rest = await new Promise<Uint8Array>((resolve) => {
      const decoder = new FrameDecoder(codec);
      far.attach({
        onBytes(view) {
          decoder.push(view);
          while (decoder.next()) {
            heard.push(decoder.message);
            if (decoder.message !== "UPGRADE") continue;
            far.detach(decoder.unread);
            resolve(far.readBytes(9));
            return;
          }
        },
        onEnd() {},
        onDrain() {},
        onClose() {},
      });
    });
    expect([heard, Buffer.from(rest).toString()]).toEqual([["a", "b", "UPGRADE"], "raw bytes"]);
    near.abort();
    far.abort();
  });
});

/** Deep comparison of many large messages takes longer than everything else. */
function same(got: unknown, expected: unknown): boolean {
  return digest(got) === digest(expected);
}

function digest(value: unknown): string {
  return createHash("sha1")
    .update(value instanceof Uint8Array ? value : JSON.stringify(value))
    .digest("hex");
}
