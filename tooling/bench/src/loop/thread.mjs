// How soon a callback from another thread runs on an idle loop, and what one costs in a burst:
// `node tooling/bench/src/loop/thread.mjs [wake-ups]`. Beside them a bare MessagePort, and a task of an executor.
import { isMainThread, MessageChannel, Worker, workerData } from "node:worker_threads";
import { IOLoop, openLoopHandle, ThreadPoolExecutor } from "@tw/ioloop";
import { spread } from "../statistics.mjs";

const PAUSE_MS = 2;
const BURSTS = 7;
const BURST = 20_000;

// One clock for all threads; performance.now() begins anew in each.
const now = () => Number(process.hrtime.bigint() % 1_000_000_000_000n) / 1000;

/** In the other thread: `send(now())` from time to time, so that the loop is idle in between; then bursts on demand. */
function sendFromThread({ loop, port, wakeUps }) {
  const remote = openLoopHandle(loop);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const ways = [(at) => remote.addCallbackFromThread("woken", at), (at) => port.postMessage(at)];
  for (let i = 0; i < 2 * wakeUps; i++) {
    Atomics.wait(pause, 0, 0, PAUSE_MS);
    ways[i % 2](now());
  }
  port.on("message", () => {
    for (let i = 0; i < BURST; i++) remote.addCallbackFromThread("burst", i);
  });
}

/** A task of the executor. */
export const nothing = () => undefined;

async function main() {
  const wakeUps = Number(process.argv[2] ?? 1000);
  const loop = IOLoop.current();
  const byHandle = [];
  const byPort = [];
  let seen = 0;
  let done = () => undefined;
  const handle = loop.threadHandle({
    woken: (/** @type {number} */ at) => byHandle.push(now() - at),
    burst: () => {
      if (++seen === BURST) done();
    },
  });
  const { port1, port2 } = new MessageChannel();
  const woken = new Promise((resolve) => {
    port1.on("message", (at) => {
      if (byPort.push(now() - at) === wakeUps) resolve(undefined);
    });
  });
  const worker = new Worker(new URL(import.meta.url), {
    workerData: { loop: handle, port: port2, wakeUps },
    transferList: [handle.port, port2],
  });
  await woken;

  const bursts = [];
  for (let round = 0; round < BURSTS; round++) {
    seen = 0;
    const start = now();
    await new Promise((resolve) => {
      done = () => resolve(undefined);
      port1.postMessage("go");
    });
    bursts.push((now() - start) / BURST);
  }

  const pool = new ThreadPoolExecutor({ maxWorkers: 1 });
  const task = { module: import.meta.url, name: "nothing" };
  const tasks = [];
  for (let i = 0; i < wakeUps; i++) {
    const start = now();
    await loop.runInExecutor(pool, task);
    if (i >= 100 || wakeUps < 200) tasks.push(now() - start);
  }

  const show = (title, values) => {
    const { median, min } = spread(values);
    const p99 = values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)];
    console.log(`| ${title} | ${median.toFixed(1)} | ${min.toFixed(1)} | ${p99.toFixed(1)} |`);
  };
  console.log("| µs | median | least | 99 % |\n|---|--:|--:|--:|");
  show("addCallbackFromThread to its run, idle loop", byHandle);
  show("bare MessagePort, idle loop", byPort);
  show(`addCallbackFromThread, each of ${BURST}`, bursts);
  show("runInExecutor of nothing, there and back", tasks);
  await pool.close();
  await worker.terminate();
}

if (isMainThread) await main();
else if (workerData?.wakeUps !== undefined) sendFromThread(workerData);
