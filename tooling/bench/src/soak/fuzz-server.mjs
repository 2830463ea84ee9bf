// The server of fuzz.mjs: answers in several ways, which one depends on the target. None of them throws, so whatever is
// logged as an error is a finding.

import { setTimeout as sleep } from "node:timers/promises";
import { HTTPServer } from "@tw/httpserver";
import { HTTPHeaders } from "@tw/httputil";
import { IOLoop } from "@tw/ioloop";
import { nullLogger } from "@tw/log";
import { Application } from "@tw/web";
import { WebSocketHandler } from "@tw/websocket";
import { inventory } from "./inventory.mjs";

const { engine, what } = JSON.parse(process.argv[2]);
const SHORT_MS = 500;

const errors = [];
const logger = {
  ...nullLogger,
  error: (details, message) => errors.push(`${message}: ${details?.err?.stack ?? details}`),
};
const loop = new IOLoop({ logger });
let open = 0; // WebSockets

/** The head of an answer; without `length` the connection frames it. */
function begin({ connection, method }, length) {
  const fields = { "X-Soak": method, ...(length === undefined ? {} : { "Content-Length": String(length) }) };
  const [code, reason] = method === "CONNECT" ? [405, "Method Not Allowed"] : [200, "OK"];
  return connection.writeHeaders({ version: "HTTP/1.1", code, reason }, new HTTPHeaders(fields));
}

function answer(request, length) {
  begin(request, length);
  request.connection.write("s".repeat(length));
  request.connection.finish();
}

const WAYS = [
  (request) => answer(request, 12),
  (request) => answer(request, 5000),
  async (request) => {
    await sleep(request.received % 7);
    answer(request, 100);
  },
  async (request) => {
    begin(request);
    for (let i = 0; i < 5; i++) {
      await request.connection.write("s".repeat(1 + i * 1000));
      if (i === 2) await sleep(1);
    }
    request.connection.finish();
  },
];

/** One request: answered when it is whole, or early; its body may be taken slowly. */
class Message {
  received = 0;
  connection;
  method = "";
  #way = 0;

  constructor(connection) {
    this.connection = connection;
  }

  headersReceived({ method, path }) {
    this.method = method;
    this.#way = [...path].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 1009, 7);
    if (this.#way % 10 === 0) answer(this, 30);
    else if (this.#way % 10 === 1) return sleep(1);
  }

  dataReceived(chunk) {
    this.received += chunk.length;
    if (this.#way % 10 === 2) return sleep(0);
  }

  finish() {
    if (this.#way % 10 !== 0) return WAYS[this.#way % WAYS.length](this);
  }

  /** Who has sent the end may still listen; to others an answer is written in vain. */
  onConnectionClose() {}
}

class Echo extends WebSocketHandler {
  open() {
    open++;
  }

  onMessage(message) {
    this.writeMessage(message);
  }

  onClose() {
    open--;
  }
}

const limits = {
  engine,
  loop,
  logger,
  idleTimeoutMs: SHORT_MS,
  headTimeoutMs: SHORT_MS,
  bodyTimeoutMs: SHORT_MS,
  maxBodySize: 1 << 20,
};

async function listen() {
  if (what === "http") {
    const server = new HTTPServer({ startRequest: (connection) => new Message(connection) }, limits);
    await server.listen(0, "127.0.0.1");
    return server.port;
  }
  const app = new Application([["/", Echo]], { logger, loop });
  const server = await app.listen(0, "127.0.0.1", limits);
  return server.port;
}

let idle;
let before;
const orders = {
  async listen() {
    const port = await listen();
    idle = inventory(loop);
    return { port };
  },
  /** When nothing is under way: what there is now is what there may be at the end. */
  async remember() {
    await idle.left();
    before = inventory(loop);
    return {};
  },
  async report() {
    return { left: await before.left(), errors, open };
  },
};
process.on("message", async (message) => process.send(await orders[message.do]()));
process.on("disconnect", () => process.exit());
