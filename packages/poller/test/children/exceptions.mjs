// Three of five handlers of one batch throw; the process has a handler for what nobody caught.
import { loadPoller, READ } from "../../dist/index.js";

const poller = loadPoller();
const log = [];
process.on("uncaughtException", (error) => log.push(`caught ${error.message}`));
const pairs = Array.from({ length: 5 }, () => poller.socketpair());
for (const [i, [, b]] of pairs.entries()) {
  const sink = {
    onEvents() {
      log.push(`handler ${i}`);
      void Promise.resolve().then(() => log.push(`microtask ${i}`));
      poller.close(handle);
      if (i % 2 === 0) throw new Error(`${i}`);
    },
  };
  // Edge-triggered: what this batch loses never comes again.
  const handle = poller.watch(b, READ, sink, { edge: true });
}
for (const [a] of pairs) poller.writev(a, ["x"], 0);
// Each handler closes its handle: when all have run, nothing holds the process.
process.on("exit", () => console.log(JSON.stringify(log), poller.size));
