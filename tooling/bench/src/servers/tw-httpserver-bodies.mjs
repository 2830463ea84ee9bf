// Large bodies:  node tw-httpserver-bodies.mjs body|file|upload|upload-slow|download PORT
import { open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { HTTPServer } from "@tw/httpserver";
import { HTTPHeaders } from "@tw/httputil";
import { MIB, pattern } from "./pattern.mjs";

const [, , mode, port] = process.argv;
const OK = { version: "HTTP/1.1", code: 200, reason: "OK" };
const GIB = 1 << 30;
const PIECE = 64 * 1024;
const bytes = pattern();

const headers = (length) =>
  new HTTPHeaders({ "Content-Type": "application/octet-stream", "Content-Length": String(length) });

function body({ connection }) {
  connection.writeHeaders(OK, headers(MIB), bytes);
  connection.finish();
}

async function file({ connection }) {
  const handle = await open(process.env.BENCH_FILE);
  try {
    connection.writeHeaders(OK, headers(MIB));
    await connection.writeFile({ fd: handle.fd, offset: 0, length: MIB });
    connection.finish();
  } finally {
    await handle.close();
  }
}

async function download({ connection }) {
  connection.writeHeaders(OK, headers(GIB));
  for (let at = 0; at < GIB; at += PIECE)
    await connection.write(bytes.subarray(at % MIB, (at % MIB) + PIECE));
  connection.finish();
}

/** Counts what comes, and says how much that was; `slow` takes a millisecond for every MiB. */
class Upload {
  #connection;
  #received = 0;
  #slow;
  #pauses = 0;

  constructor(connection, slow) {
    this.#connection = connection;
    this.#slow = slow;
  }

  headersReceived() {}

  dataReceived(chunk) {
    this.#received += chunk.length;
    if (this.#slow && this.#received - this.#pauses * MIB >= MIB) {
      this.#pauses++;
      return sleep(1);
    }
  }

  finish() {
    const text = String(this.#received);
    this.#connection.writeHeaders(OK, headers(text.length), text);
    this.#connection.finish();
  }

  onConnectionClose() {}
}

const upload = (slow) => ({ startRequest: (connection) => new Upload(connection, slow) });
const target = { body, file, download, upload: upload(false), "upload-slow": upload(true) }[mode];

const server = new HTTPServer(target, { maxBodySize: 2 * GIB });
await server.listen(Number(port), "127.0.0.1");
console.log("ready");
