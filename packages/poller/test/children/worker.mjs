// Loads the poller, keeps it busy, and ends as it is told.
import { parentPort } from "node:worker_threads";
import { loadPoller, READ, WRITE } from "../../dist/index.js";

const [how, name] = process.argv.slice(2);
const poller = loadPoller();
const [a, b] = poller.socketpair();
const [c, d] = poller.socketpair();
const server = poller.socket(0);
poller.bind(server, `\0${name}`, 0);
const listening = poller.watch(server, READ, { onEvents() {} });
const writable = poller.watch(a, WRITE, { onEvents() {} }, { edge: true });
const woken = poller.watch(d, READ, { onEvents: () => poller.wake(woken) });
poller.wake(woken);
const idle = poller.watch(c, 0, { onEvents() {} });
const inHandler = {
  "exit in handler": () => process.exit(3),
  "throw in handler": () => {
    throw new Error("from a sink");
  },
  "terminate in handler": () => {
    for (;;);
  },
};
const busy = poller.watch(b, READ, {
  onEvents() {
    poller.read(b, new Uint8Array(8), 0, 8);
    inHandler[how]?.();
  },
});
const ends = {
  exit: () => setTimeout(() => process.exit(3), 5),
  throw: () =>
    setTimeout(() => {
      throw new Error("from the worker");
    }, 5),
  idle: () => {
    for (const handle of [listening, writable, woken, idle, busy]) poller.unwatch(handle);
  },
  "idle, unref": () => {
    for (const handle of [listening, writable, woken, idle, busy]) poller.setRef(handle, false);
  },
};
// Only when the parent has heard: Node loses the error of a worker that ends while its first message is under way.
parentPort.once("message", () => {
  if (how in inHandler) poller.writev(a, ["x"], 0);
  else ends[how]?.();
});
parentPort.postMessage(`listening ${poller.listen(server, 16)}`);
