import { Application, RequestHandler } from "@tw/web";

class MainHandler extends RequestHandler {
  get() {
    this.write("Hello, world");
  }
}

const app = new Application([["/", MainHandler]]);
await app.listen(Number(process.argv[2]), "127.0.0.1");
console.log("ready");
