// Tornado's hello world.

import { onPort } from "@tw/tooling-samples/port";
import { Application, IOLoop, RequestHandler } from "@tw/tornado";

class MainHandler extends RequestHandler {
  get(): void {
    this.write("Hello, world");
  }
}

async function main(): Promise<void> {
  const app = new Application([["/", MainHandler]]);
  const server = await onPort(8888, (port) => app.listen(port));
  console.log(`http://localhost:${server.port}`);
  await IOLoop.current().start();
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
