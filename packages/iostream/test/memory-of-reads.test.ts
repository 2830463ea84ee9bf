// Whose memory it is that a read hands out: whoever has a piece may look at all of its buffer, write to it, transfer it.

import { expect, it } from "vitest";
import { IOStream } from "../src/index.js";
import { during, pair, ScriptedTransport, testLoop, text, turn } from "./helpers.js";

const BLOCK = 64 * 1024;

it("a piece's buffer holds nothing that another stream received, whatever its size", async () => {
  const victim = pair();
  victim.peer.send("secret! ".repeat((BLOCK - 64) / 8));
  await during(victim.loop, Promise.resolve());
  const sip = new Uint8Array(1000);
  for (let left = BLOCK - 64; left > 0; )
    left -= await during(victim.loop, victim.stream.readInto(sip, { partial: true }));

  for (const how of ["readBytes", "readUntilClose"] as const) {
    const { loop, stream, peer } = pair();
    peer.send("x".repeat(BLOCK / 2 + 1000));
    await during(loop, Promise.resolve());
    if (how === "readUntilClose") peer.end();
    const piece = await during(
      loop,
      how === "readBytes" ? stream.readBytes(BLOCK / 2 + 1000) : stream.readUntilClose(),
    );
    expect(piece.length).toBe(BLOCK / 2 + 1000);
    expect(Buffer.from(piece.buffer as ArrayBuffer).includes("secret!"), how).toBe(false);
  }
});

it("transferring a piece takes nothing from the pieces before and behind it, nor from the stream", async () => {
  const { loop, stream, peer } = pair();
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < 4; i++) {
    peer.send(String(i).repeat(1024));
    pieces.push(await during(loop, stream.readBytes(512)), await during(loop, stream.readBytes(512)));
    const { buffer } = pieces[2 * i] as Uint8Array;
    structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  }
  expect(pieces.map((piece) => piece.length)).toEqual([0, 512, 0, 512, 0, 512, 0, 512]);
  const kept = pieces.filter((piece) => piece.length > 0);
  expect(kept.map((piece) => text(piece.subarray(0, 2)))).toEqual(["00", "11", "22", "33"]);
});

it("a transport may give Buffers: what is read of them is a copy too", async () => {
  const loop = testLoop();
  const transport = new ScriptedTransport();
  const stream = new IOStream(transport, { loop });
  const lent = Buffer.from("hello, world");
  const read = stream.readBytes(5);
  transport.receiver.onBytes(lent);
  lent.fill(0);
  expect(text(await read)).toBe("hello");
});

it("a stream whose loop is closed still gives what it is written to its transport, and throws at nobody", async () => {
  const loop = testLoop();
  const transport = new ScriptedTransport();
  const stream = new IOStream(transport, { loop });
  transport.room = Number.POSITIVE_INFINITY;
  await loop.close();
  let settled = 0;
  for (let i = 0; i < 40; i++) {
    void stream.write(new Uint8Array(BLOCK)).then(() => settled++);
    await turn();
  }
  expect([settled, stream.writing]).toEqual([40, false]);
});
