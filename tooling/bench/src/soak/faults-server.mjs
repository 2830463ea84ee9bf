// The serving side of faults.mjs: does what the first byte of a connection says, and is treated badly.

import { IOLoop } from "@tw/ioloop";
import { nullLogger } from "@tw/log";
import { TCPServer } from "@tw/tcp";
import { inventory } from "./inventory.mjs";

const { engine } = JSON.parse(process.argv[2]);
const BLOB = new Uint8Array(1 << 20);

const loop = new IOLoop({ logger: nullLogger });
let served = 0;
let most = 0;

const acts = {
  /** Echoes lines until the peer ends. */
  async e(stream) {
    for (;;) await stream.write(await stream.readUntil("\n", { maxBytes: 4096 }));
  },
  /** Sends more than the kernel takes. */
  async b(stream) {
    await stream.write(BLOB);
    await stream.close();
  },
  /** Waits for the end of what the peer has to say, and answers then. */
  async h(stream) {
    const bytes = await stream.readUntilClose().catch(() => new Uint8Array(0));
    if (!stream.closed) stream.write(`${bytes.length}\n`).catch(() => {});
    await stream.close();
  },
  r(stream) {
    stream.abort();
  },
  t() {
    throw new Error("provoked");
  },
};

const server = new TCPServer(
  async (stream) => {
    served++;
    most = Math.max(most, server.connectionCount);
    const [act] = await stream.readBytes(1);
    await acts[String.fromCharCode(act)](stream);
  },
  { engine, loop },
);

let before;
process.on("message", async (message) => {
  if (message.do === "listen") {
    await server.listen(0, "127.0.0.1");
    before = inventory(loop, () => server.connectionCount);
    process.send({ port: server.port });
  } else process.send({ served, most, left: await before.left() });
});
process.on("disconnect", () => process.exit());
