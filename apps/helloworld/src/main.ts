// Tornado's hello world.

import { Application, IOLoop, RequestHandler } from "@tw/tornado";

class MainHandler extends RequestHandler {
  get(): void {
    this.write("Hello, world");
  }
}

async function main(): Promise<void> {
  const app = new Application([["/", MainHandler]]);
  const server = await app.listen(Number(process.env.PORT ?? 8888));
  console.log(`http://localhost:${server.port}`);
  await IOLoop.current().start();
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
