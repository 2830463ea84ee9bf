// A key-value server that speaks Redis's protocol:  PORT=6379 node dist/main.js

import { IOLoop } from "@tw/ioloop";
import { KVServer } from "./kv-server.js";

async function main(): Promise<void> {
  const loop = IOLoop.current();
  const server = new KVServer({ loop });
  loop.onStop(() => server.shutdown());
  // Without passwords it is for this machine alone.
  await server.listen(Number(process.env.PORT ?? 6379), process.env.HOST ?? "127.0.0.1");
  console.log(`redis://localhost:${server.port}`);
  await loop.start();
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
