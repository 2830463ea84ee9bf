// Serves the chat:  PORT=8888 node dist/main.js

import { IOLoop } from "@tw/tornado";
import { chatApplication } from "./application.js";

const DEFAULT_PORT = 8888;

async function main(): Promise<void> {
  const { PORT } = process.env;
  const port = PORT === undefined || PORT === "" ? DEFAULT_PORT : Number(PORT);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`PORT is "${PORT}", which is not a port.`);
  const server = await chatApplication()
    .listen(port)
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE")
        throw new Error(`Port ${port} is taken. Set PORT to another one: PORT=9000 npm start`);
      if (error.code === "EACCES")
        throw new Error(`Port ${port} may not be opened by this user. Set PORT to one above 1023.`);
      throw error;
    });
  // SIGINT and SIGTERM close the sockets with 1001, let answers finish, and resolve this.
  const stopped = IOLoop.current().start();
  console.log(`http://localhost:${server.port}`);
  await stopped;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
