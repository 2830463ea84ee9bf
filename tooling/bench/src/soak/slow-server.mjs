// The server of slow.mjs: hello at once, `/big` is a stream that ends only when it was read, and bodies are counted.

import { HTTPServer } from "@tw/httpserver";
import { HTTPHeaders } from "@tw/httputil";
import { IOLoop } from "@tw/ioloop";
import { nullLogger } from "@tw/log";
import { inventory } from "./inventory.mjs";

const { engine, timeoutMs } = JSON.parse(process.argv[2]);
const OK = { version: "HTTP/1.1", code: 200, reason: "OK" };
const BIG = 16 << 20;
const piece = new Uint8Array(16 << 10);

const errors = [];
const loop = new IOLoop({
  logger: { ...nullLogger, error: (details, message) => errors.push(`${message}: ${details?.err?.stack}`) },
});
let served = 0;
let gone = 0;

class Message {
  #connection;
  #path = "";
  #received = 0;

  constructor(connection) {
    this.#connection = connection;
  }

  headersReceived({ path }) {
    this.#path = path;
  }

  dataReceived(chunk) {
    this.#received += chunk.length;
  }

  finish() {
    served++;
    if (this.#path === "/big") return this.#big();
    const text = this.#path === "/" ? "Hello, world" : String(this.#received);
    this.#connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": String(text.length) }), text);
    this.#connection.finish();
  }

  async #big() {
    this.#connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": String(BIG) }));
    for (let at = 0; at < BIG; at += piece.length) await this.#connection.write(piece);
    this.#connection.finish();
  }

  onConnectionClose() {
    gone++;
  }
}

const server = new HTTPServer(
  { startRequest: (connection) => new Message(connection) },
  {
    engine,
    loop,
    headTimeoutMs: timeoutMs,
    bodyTimeoutMs: timeoutMs,
    writeTimeoutMs: timeoutMs,
    maxBodySize: 64 << 20,
  },
);

let before;
const orders = {
  async listen() {
    await server.listen(0, "127.0.0.1");
    before = inventory(loop);
    return { port: server.port };
  },
  async report() {
    return { left: await before.left(), errors, served, gone };
  },
};
process.on("message", async (message) => process.send(await orders[message.do]()));
process.on("disconnect", () => process.exit());
