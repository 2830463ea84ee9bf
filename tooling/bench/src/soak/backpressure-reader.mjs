// The reader of backpressure.mjs: sleeps while its peer sends, then reads with random pauses.

import { createHash } from "node:crypto";
import { IOLoop } from "@tw/ioloop";
import { TCPServer } from "@tw/tcp";
import { MemoryWatch, random, sleep } from "./backpressure-watch.mjs";

const { engine, tls, identity, sleepMs, seed } = JSON.parse(process.argv[2]);
const loop = IOLoop.current();

async function read(plain) {
  const stream = tls ? await plain.startTls({ ...identity, isServer: true }) : plain;
  const watch = new MemoryWatch();
  await sleep(sleepMs);
  const asleep = watch.most();
  const pause = random(seed);
  const target = new Uint8Array(256 * 1024);
  const hash = createHash("sha256");
  let bytes = 0;
  for (;;) {
    const chunk = await next(stream, target);
    if (chunk === undefined) break;
    hash.update(chunk);
    bytes += chunk.length;
    if (pause() < 0.002) await sleep(pause() * 20);
  }
  process.send({ bytes, hash: hash.digest("hex"), asleep, awake: watch.stop() });
  await stream.close();
  await server.stop();
}

/** What came, or nothing at the end. */
async function next(stream, target) {
  try {
    return target.subarray(0, await stream.readInto(target, { partial: true }));
  } catch (error) {
    if (error.code === "ERR_TW_STREAM_CLOSED" && error.cause === undefined) return undefined;
    throw error;
  }
}

const server = new TCPServer(read, { loop, engine });
await server.listen(0, "127.0.0.1");
process.send({ port: server.port });
