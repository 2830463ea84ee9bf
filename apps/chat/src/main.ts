// Serves the chat:  PORT=8888 node dist/main.js

import { onPort } from "@tw/tooling-samples/port";
import { IOLoop } from "@tw/tornado";
import { chatApplication } from "./application.js";

async function main(): Promise<void> {
  const server = await onPort(8888, (port) => chatApplication().listen(port));
  // SIGINT and SIGTERM close the sockets with 1001, let answers finish, and resolve this.
  const stopped = IOLoop.current().start();
  console.log(`http://localhost:${server.port}`);
  await stopped;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
