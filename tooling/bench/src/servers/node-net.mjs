// The same programs on node:net:  node node-net.mjs echo|take|give|close PORT
import { createServer } from "node:net";

const [, , mode, port] = process.argv;

const echo = (socket) => socket.on("data", (chunk) => socket.write(chunk));

const take = (socket) => {
  let received = 0;
  socket.on("data", (chunk) => {
    received += chunk.length;
  });
  socket.on("end", () => socket.end(String(received)));
};

const give = (socket) => {
  const chunk = Buffer.alloc(65_536);
  const fill = () => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on("drain", fill);
  fill();
};

const close = (socket) => socket.end();

const serve = { echo, take, give, close }[mode];
const server = createServer({ noDelay: true, allowHalfOpen: mode === "take" }, (socket) => {
  socket.on("error", () => {});
  serve(socket);
});
server.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 }, () => console.log("ready"));
