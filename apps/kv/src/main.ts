// A key-value server that speaks Redis's protocol:  PORT=6379 node dist/main.js

import { IOLoop } from "@tw/ioloop";
import { onPort } from "@tw/tooling-samples/port";
import { KVServer } from "./kv-server.js";

async function main(): Promise<void> {
  const loop = IOLoop.current();
  const server = new KVServer({ loop });
  loop.onStop(() => server.shutdown());
  // Without passwords it is for this machine alone.
  await onPort(6379, (port) => server.listen(port, process.env.HOST ?? "127.0.0.1"));
  console.log(`redis://localhost:${server.port}`);
  await loop.start();
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
