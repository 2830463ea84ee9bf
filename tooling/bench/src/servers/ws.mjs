import { WebSocketServer } from "ws";

const server = new WebSocketServer({ port: Number(process.argv[2]), host: "127.0.0.1" }, () =>
  console.log("ready"),
);
server.on("connection", (socket) => {
  socket.on("message", (message, binary) => socket.send(message, { binary }));
});
