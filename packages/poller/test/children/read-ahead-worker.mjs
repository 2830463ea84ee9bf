// A worker reads ahead in a poller of its own, and its memory goes with it.
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { loadPoller, READ } from "../../dist/index.js";

const poller = loadPoller();
const [fd, peer] = poller.socketpair();
const ahead = poller.readAhead(64);
for (const lane of ahead.lanes) lane.into(new ArrayBuffer(64));

function next() {
  return new Promise((resolve) => {
    const handle = poller.watch(
      fd,
      READ,
      {
        onEvents(_events, received) {
          poller.unwatch(handle);
          resolve(received);
        },
      },
      { edge: true },
    );
    ahead.allow(handle, true);
    poller.writev(peer, ["abc"], 0);
  });
}

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  worker.on("message", (received) => process.stdout.write(`worker read ${received}, `));
  worker.on("exit", async (code) => {
    process.stdout.write(`exit ${code}, `);
    console.log(`main read ${await next()}`);
  });
} else parentPort.postMessage(await next());
