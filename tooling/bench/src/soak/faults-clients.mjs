// The connecting side of faults.mjs: all connections at the same time, each with a fault of its own.

import { setTimeout as sleep } from "node:timers/promises";
import { IOLoop } from "@tw/ioloop";
import { nullLogger } from "@tw/log";
import { TCPClient } from "@tw/tcp";
import { inventory, randomOf } from "./inventory.mjs";

const { engine, connections, seed, port } = JSON.parse(process.argv[2]);
const below = randomOf(seed);
const loop = new IOLoop({ logger: nullLogger });
const client = new TCPClient({ engine, loop });
const outcomes = {};
let open = 0;
let most = 0;

const pause = (limit) => sleep(below(limit));

const acts = {
  async echo(stream) {
    stream.write("e");
    for (let i = below(5); i >= 0; i--) {
      await stream.write(`${"x".repeat(below(2000))}\n`);
      await stream.readUntil("\n", { maxBytes: 4096 });
      await pause(200);
    }
    await stream.close();
  },
  async reset(stream) {
    stream.write(`e${"x".repeat(below(100_000))}`);
    await pause(500);
    stream.abort();
  },
  async halfClose(stream) {
    stream.write(`h${"x".repeat(below(50_000))}`);
    stream.end();
    await stream.readUntil("\n", { maxBytes: 100 });
    await stream.close();
  },
  /** Takes a little of what comes, slowly, then all of it. */
  async slow(stream) {
    await stream.write("b");
    for (let i = 0; i < 5; i++) {
      await stream.readBytes(1 + below(10_000), { partial: true });
      await pause(200);
    }
    for (let left = 1; left > 0; ) left = (await stream.readBytes(65_536, { partial: true })).length;
  },
  /** Takes nothing of what comes, and goes. */
  async deaf(stream) {
    await stream.write("b");
    await pause(1000);
    stream.abort();
  },
  async silent(stream) {
    await pause(1000);
    await stream.close();
  },
  async beReset(stream) {
    await stream.write("r");
    await stream.readBytes(1);
  },
  async throwing(stream) {
    await stream.write("t");
    await stream.readBytes(1);
  },
};

const NAMES = Object.keys(acts);

async function connection(i) {
  const abort = new AbortController();
  // One in eight gives up while it connects.
  const givesUp = below(8) === 0;
  const connecting = client.connect("127.0.0.1", port, { signal: abort.signal, timeoutMs: 60_000 });
  if (givesUp) setTimeout(() => abort.abort(new Error("changed my mind")), below(3));
  const name = NAMES[i % NAMES.length];
  let stream;
  let outcome = name;
  try {
    stream = await connecting;
    most = Math.max(most, ++open);
    await acts[name](stream);
    outcome += " done";
  } catch (error) {
    outcome =
      stream === undefined ? `no connection: ${error.code ?? error.message}` : `${name} ${error.code}`;
    stream?.abort();
  }
  if (stream !== undefined) {
    await stream.whenClosed;
    open--;
  }
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}

process.on("message", async () => {
  await (await client.connect("127.0.0.1", port)).close(); // what is loaded on first use is no remnant
  const before = inventory(loop);
  await Promise.all(Array.from({ length: connections }, (_, i) => connection(i)));
  process.send({ outcomes, most, left: await before.left() });
});
process.on("disconnect", () => process.exit());
