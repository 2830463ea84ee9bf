import { createServer } from "node:http";

// Its default of a minute is longer than a run against slow clients.
const timeout = process.env.BENCH_HEAD_TIMEOUT_MS;
const options = timeout ? { headersTimeout: Number(timeout), connectionsCheckingInterval: 500 } : {};

const server = createServer(options, (_request, response) => {
  response.setHeader("Content-Type", "text/plain");
  response.end("Hello, world");
});
// Its default of five seconds would close the connections whose memory is measured.
if (process.env.BENCH_IDLE) server.keepAliveTimeout = 3_600_000;
server.listen(Number(process.argv[2]), "127.0.0.1", () => console.log("ready"));
