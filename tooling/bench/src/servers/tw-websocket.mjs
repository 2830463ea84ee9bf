import { Application } from "@tw/web";
import { WebSocketHandler } from "@tw/websocket";

class EchoHandler extends WebSocketHandler {
  onMessage(message) {
    this.writeMessage(message);
  }
}

const app = new Application([["/", EchoHandler]]);
await app.listen(Number(process.argv[2]), "127.0.0.1");
console.log("ready");
