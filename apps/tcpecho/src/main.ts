// node dist/main.js                        serves on PORT, 8888 if not said otherwise
// node dist/main.js 8888 "hello" "world"   says these lines to the server at that port

import { IOLoop } from "@tw/ioloop";
import { onPort } from "@tw/tooling-samples/port";
import { echo } from "./client.js";
import { EchoServer } from "./server.js";

async function main([port, ...messages]: readonly string[]): Promise<void> {
  if (port !== undefined) return echo(Number(port), messages);
  const server = new EchoServer();
  IOLoop.current().onStop(() => server.drain({ timeoutMs: 1000 }));
  await onPort(8888, (port) => server.listen(port));
  console.log(`tcp://localhost:${server.port}`);
  await IOLoop.current().start();
}

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
