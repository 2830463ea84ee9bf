// A parent that never loads the addon starts workers that do, and that end in the way which is asked for.
import { createConnection } from "node:net";
import { Worker } from "node:worker_threads";

const [how, count] = [process.argv[2], Number(process.argv[3])];
for (let i = 0; i < count; i++) {
  // An abstract name, because somebody else may get a port that has become free.
  const name = `tw-poller-${process.pid}-${i}`;
  const worker = new Worker(new URL("./worker.mjs", import.meta.url), { argv: [how, name], stderr: true });
  const answer = await new Promise((resolve) => {
    let said = "";
    worker.on("message", (message) => {
      said = message;
      worker.postMessage("go");
      if (how === "terminate") void worker.terminate();
      if (how === "terminate in handler") setTimeout(() => void worker.terminate(), 5);
    });
    worker.on("error", (error) => {
      said += ` ${error.message}`;
    });
    worker.on("exit", (code) => resolve(`${said} ${code}`));
  });
  if (i === 0) console.log(answer);
  if (how !== "idle") await refused(`\0${name}`);
}
console.log("parent alive");

/** What a worker listened on must not outlive it. */
function refused(path) {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.on("connect", () => reject(new Error("the worker's listener lives on")));
    socket.on("error", resolve);
  });
}
