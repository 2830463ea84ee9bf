// The writer of backpressure.mjs: sends as fast as it may.

import { createHash } from "node:crypto";
import { IOLoop } from "@tw/ioloop";
import { TCPClient } from "@tw/tcp";
import { MemoryWatch, random, sleep } from "./backpressure-watch.mjs";

const { engine, tls, identity, port, bytes, sleepMs, seed } = JSON.parse(process.argv[2]);

const plain = await new TCPClient({ loop: IOLoop.current(), engine }).connect("127.0.0.1", port);
const stream = tls ? await plain.startTls({ ca: identity.cert, servername: "localhost" }) : plain;
const watch = new MemoryWatch();
const hash = createHash("sha256");
const next = random(seed + 1);
let sent = 0;
let asleep = 0;
let sentAsleep = 0;
// A little before the reader wakes up.
void sleep(sleepMs * 0.9).then(() => {
  asleep = watch.most();
  sentAsleep = Math.round(sent / 2 ** 20);
});
const block = new Uint8Array(1024 * 1024).map(() => next() * 256);
while (sent < bytes) {
  // Pieces of odd sizes from odd places, so that a piece lost or moved shows.
  const from = Math.floor(next() * (block.length / 2));
  const size = Math.min(bytes - sent, 1 + Math.floor(next() * (block.length / 2 - 1)));
  const piece = block.subarray(from, from + size);
  hash.update(piece);
  await stream.write(piece);
  sent += size;
}
process.send({ hash: hash.digest("hex"), asleep, sentAsleep, awake: watch.stop() });
await stream.close({ graceMs: 60_000 });
