import { HTTPServer } from "@tw/httpserver";
import { HTTPHeaders } from "@tw/httputil";

const server = new HTTPServer((request) => {
  request.connection.writeHeaders(
    { version: "HTTP/1.1", code: 200, reason: "OK" },
    new HTTPHeaders({ "Content-Type": "text/plain", "Content-Length": "12" }),
    "Hello, world",
  );
  request.connection.finish();
});
await server.listen(Number(process.argv[2]), "127.0.0.1");
console.log("ready");
