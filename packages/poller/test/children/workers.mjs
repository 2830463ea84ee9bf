// A parent that never loads the addon starts workers that do, and that end in the way which is asked for.
import { createConnection } from "node:net";
import { Worker } from "node:worker_threads";

const [how, count] = [process.argv[2], Number(process.argv[3])];
for (let i = 0; i < count; i++) {
  const worker = new Worker(new URL("./worker.mjs", import.meta.url), { argv: [how], stderr: true });
  const answer = await new Promise((resolve) => {
    let said = "";
    worker.on("message", (message) => {
      said = message;
      if (how === "terminate") void worker.terminate();
      if (how === "terminate in handler") setTimeout(() => void worker.terminate(), 5);
    });
    worker.on("error", (error) => {
      said += ` ${error.message}`;
    });
    worker.on("exit", (code) => resolve(`${said} ${code}`));
  });
  if (i === 0) console.log(answer);
  if (how !== "idle") await refused(Number(/\d+/.exec(answer)[0]));
}
console.log("parent alive");

/** What a worker listened on must not outlive it. */
function refused(port) {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, "127.0.0.1");
    socket.on("connect", () => reject(new Error("the worker's listener lives on")));
    socket.on("error", resolve);
  });
}
