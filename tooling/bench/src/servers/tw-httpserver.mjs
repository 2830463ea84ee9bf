import { HTTPServer } from "@tw/httpserver";
import { HTTPHeaders } from "@tw/httputil";

// Its default of a minute is longer than a run against slow clients.
const timeout = process.env.BENCH_HEAD_TIMEOUT_MS;
const options = timeout ? { headTimeoutMs: Number(timeout) } : {};

const server = new HTTPServer((request) => {
  request.connection.writeHeaders(
    { version: "HTTP/1.1", code: 200, reason: "OK" },
    new HTTPHeaders({ "Content-Type": "text/plain", "Content-Length": "12" }),
    "Hello, world",
  );
  request.connection.finish();
}, options);
await server.listen(Number(process.argv[2]), "127.0.0.1");
console.log("ready");
