// Six sinks that are delivered together; one throws, the tick of the next one does, a promise of the third one rejects.
// `read-ahead-throws.mjs [caught | rejections | hooked | turns | uncaught | worker]`: who hears of it.
import { createHook } from "node:async_hooks";
import { Worker } from "node:worker_threads";
import { loadPoller, READ } from "../../dist/index.js";

const how = process.argv[2];

function main() {
  const poller = loadPoller();
  const ahead = poller.readAhead(64);
  for (const lane of ahead.lanes) lane.into(new ArrayBuffer(64));
  const log = [];
  let open = 0;
  if (how === "turns") {
    ahead.turns = {
      begin: () => open++,
      settled: () => false,
      end: () => open--,
    };
  }
  let entered = 0;
  if (how === "hooked") createHook({ before: () => entered++, after: () => entered-- }).enable();
  if (how !== "uncaught") process.on("uncaughtException", (error) => log.push(`caught ${error.message}`));
  if (how === "rejections")
    process.on("unhandledRejection", (error) => log.push(`unhandled ${error.message}`));
  const pairs = [0, 1, 2, 3, 4, 5].map(() => poller.socketpair());
  for (const [i, [, b]] of pairs.entries()) {
    const sink = {
      onEvents(_events, received) {
        log.push(`sink ${i} ${received}`);
        process.nextTick(() => {
          log.push(`tick ${i}`);
          if (i % 3 === 1) throw new Error(`tick ${i}`);
        });
        void Promise.resolve().then(() => log.push(`microtask ${i}`));
        if (i % 3 === 2) void Promise.reject(new Error(`promise ${i}`));
        poller.close(handle);
        if (how !== "uncaught" && i % 3 === 0) throw new Error(`sink ${i}`);
      },
    };
    const handle = poller.watch(b, READ, sink, { edge: true });
    ahead.allow(handle, true);
  }
  for (const [a] of pairs) poller.writev(a, ["abc"], 0);
  process.on("exit", () => {
    if (open !== 0) log.push(`${open} left open`);
    if (entered !== 0) log.push(`${entered} entered`);
    console.log(log.join());
  });
}

if (how === "worker") {
  const worker = new Worker(new URL(import.meta.url), { argv: ["uncaught"] });
  worker.on("error", (error) => console.log(`worker failed: ${error.message}`));
} else main();
