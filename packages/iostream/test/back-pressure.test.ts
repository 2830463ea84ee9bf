// 64 MiB against readers that sleep and pause, on every engine, in plain and over TLS: what is held meanwhile, and that
// nothing is lost or reordered. The gigabyte is tooling/bench/src/soak/backpressure.mjs.
import { createHash } from "node:crypto";
import { onEveryEngine } from "@tw/tooling-testing";
import { dice } from "@tw/tooling-testing/dice";
import { describe, expect, it } from "vitest";
import { IOStream } from "../src/index.js";
import { type NativeEngine, NativeTransport, nativeEngine } from "../src/transports.js";
import { tcpDescriptors } from "./native-pairs.js";
import { loop, nodePair, settle } from "./node-pairs.js";
import { selfSigned } from "./self-signed.js";

const MIB = 1024 * 1024;
const TOTAL = 64 * MIB;

/** What both ends of one connection may hold: the kernel's buffers are not ours, a write and a few reads are. */
const HELD = 8 * MIB;

/** Bytes outside of V8's heap, where all buffers are. */
function held(): number {
  return process.memoryUsage().arrayBuffers;
}

async function pair(engine: string): Promise<[IOStream, IOStream]> {
  if (engine === "native") {
    const native = nativeEngine(loop) as NativeEngine;
    const [accepted, connected] = tcpDescriptors(native);
    return [
      new IOStream(new NativeTransport(native, connected, "tcp"), { loop }),
      new IOStream(new NativeTransport(native, accepted, "tcp"), { loop }),
    ];
  }
  const { connected, accepted } = await nodePair("tcp");
  return [new IOStream(connected, { loop }), new IOStream(accepted, { loop })];
}

async function secured([near, far]: [IOStream, IOStream]): Promise<[IOStream, IOStream]> {
  const identity = selfSigned();
  const answering = far.startTls({ ...identity, isServer: true });
  return [await near.startTls({ ca: identity.cert, servername: "localhost" }), await answering];
}

onEveryEngine((engine) => {
  for (const tls of [false, true]) {
    describe(`back-pressure, ${tls ? "TLS" : "plain"}`, () => {
      it("holds a producer back while its reader sleeps, then all bytes arrive in order under random pauses", async () => {
        const plain = await pair(engine);
        const [writer, reader] = tls ? await secured(plain) : plain;
        const next = dice(7);
        const block = new Uint8Array(MIB).map(() => next(256));
        const target = new Uint8Array(MIB);
        const before = held();
        const sentHash = createHash("sha256");
        let sent = 0;
        const producing = (async () => {
          while (sent < TOTAL) {
            const from = next(MIB / 2);
            const piece = block.subarray(from, from + Math.min(TOTAL - sent, 1 + next(MIB / 2)));
            sentHash.update(piece);
            await writer.write(piece);
            sent += piece.length;
          }
          writer.end();
        })();
        // It comes to rest, as nobody reads.
        let seen = -1;
        for (let still = 0; still < 20; still = sent === seen ? still + 1 : 0) {
          seen = sent;
          await settle();
        }
        expect(sent).toBeLessThan(TOTAL / 2);
        expect(held() - before).toBeLessThan(HELD);
        expect(writer.bufferedAmount).toBeLessThanOrEqual(MIB / 2);
        const hash = createHash("sha256");
        const pause = dice(11);
        let received = 0;
        while (received < TOTAL) {
          const count = await reader.readInto(target, { partial: true });
          hash.update(target.subarray(0, count));
          received += count;
          if (pause(50) === 0) await settle();
        }
        await producing;
        expect(hash.digest("hex")).toBe(sentHash.digest("hex"));
        await Promise.all([writer.close(), reader.close()]);
      });
    });
  }

  it("a peer that floods a read with a limit ends in the documented error, and never in growth", async () => {
    const [writer, reader] = await pair(engine);
    const flood = new Uint8Array(16 * MIB);
    const before = held();
    const written = writer.write(flood);
    await expect(reader.readUntil("\n", { maxBytes: 64 * 1024 })).rejects.toMatchObject({
      code: "ERR_TW_STREAM_CLOSED",
      cause: { code: "ERR_TW_UNSATISFIABLE_READ" },
    });
    expect(held() - before).toBeLessThan(2 * MIB);
    await written.catch(() => {});
    writer.abort();
    await Promise.all([writer.whenClosed, reader.whenClosed]);
  });
});
