// A server of drain.mjs: serves on the listening socket that it inherited, and drains on SIGTERM.

import { HTTPServer } from "@tw/httpserver";
import { HTTPHeaders } from "@tw/httputil";
import { IOLoop } from "@tw/ioloop";
import { inheritedSockets } from "@tw/tcp";

const OK = { version: "HTTP/1.1", code: 200, reason: "OK" };

const loop = IOLoop.current();
let turn = 0;

/** Some answers are there at once, some take a while, some come in pieces. */
async function answer({ connection }) {
  const kind = turn++ % 8;
  const body = `served by ${process.pid}`.padEnd(40);
  if (kind > 3) await new Promise((resolve) => loop.callLater(kind * 3, resolve));
  if (kind === 7) {
    connection.writeHeaders(OK, new HTTPHeaders());
    await connection.write(body.slice(0, 20));
    await new Promise((resolve) => loop.callLater(10, resolve));
    await connection.write(body.slice(20));
  } else connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": "40" }), body);
  connection.finish();
}

const server = new HTTPServer(answer);
server.addSockets(await inheritedSockets());
process.send("ready");
process.on("disconnect", () => process.exit(1)); // whoever started it is gone
await loop.start({ signals: ["SIGTERM"] });
process.exit(0);
