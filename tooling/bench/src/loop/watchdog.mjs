// What a blocking watchdog costs a loop that nothing blocks: `node tooling/bench/src/loop/watchdog.mjs [rounds]`.
// addCallback in this process, and HTTP hello in two servers, each with the watchdog off and on in turns.
import { IOLoop } from "@tw/ioloop";
import { httpLoad } from "../load.mjs";
import { buildNative } from "../native.mjs";
import { ServerProcess } from "../server-process.mjs";
import { spread } from "../statistics.mjs";

const BATCHES = 200;
const BATCH = 1000;
const SECONDS = 2;

const rounds = Number(process.argv[2] ?? 7);
const loop = IOLoop.current();
const nothing = () => undefined;
const show = ({ median, min, max }, digits) =>
  `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
const table = (title, unit, off, on, digits) => {
  const ratios = spread(on.map((value, round) => value / off[round]));
  console.log(
    `| ${title} | ${show(spread(off), digits)} | ${show(spread(on), digits)} | ${unit} | ${show(ratios, 3)} |`,
  );
};

/** @returns {Promise<number>} ns per callback; `make` gives the function of each */
async function callbacks(/** @type {() => () => void} */ make) {
  const start = performance.now();
  for (let batch = 0; batch < BATCHES; batch++) {
    for (let i = 1; i < BATCH; i++) loop.addCallback(make());
    await new Promise((resolve) => loop.addCallback(resolve));
  }
  return ((performance.now() - start) * 1e6) / (BATCHES * BATCH);
}

async function compareCallbacks(title, make) {
  const off = [];
  const on = [];
  for (let i = 0; i < 5; i++) await callbacks(make);
  for (let round = 0; round < rounds; round++) {
    const withWatchdog = async () => {
      await loop.setBlockingWatchdog({});
      on.push(await callbacks(make));
      await loop.setBlockingWatchdog(undefined);
    };
    if (round % 2 === 1) await withWatchdog();
    off.push(await callbacks(make));
    if (round % 2 === 0) await withWatchdog();
  }
  table(title, "ns", off, on, 1);
}

async function compareServers() {
  const { load: binary } = buildNative();
  const load = httpLoad(binary, { connections: 64, pipeline: 1 });
  const command = [process.execPath, new URL("./hello-server.mjs", import.meta.url).pathname];
  const servers = {
    off: await ServerProcess.start({ command }),
    on: await ServerProcess.start({ command, env: { TW_BENCH_WATCHDOG: "1" } }),
  };
  const cpu = { off: [], on: [] };
  for (const server of Object.values(servers)) await load(server.port, SECONDS);
  for (let round = 0; round < rounds; round++) {
    for (const which of round % 2 ? ["on", "off"] : ["off", "on"]) {
      const before = servers[which].cpuTimeNs;
      const { requests, errors, firstError } = await load(servers[which].port, SECONDS);
      if (errors > 0) throw new Error(firstError);
      cpu[which].push((servers[which].cpuTimeNs - before) / 1e3 / requests);
    }
  }
  for (const server of Object.values(servers)) await server.stop();
  table("HTTP hello, CPU of the server process", "µs", cpu.off, cpu.on, 2);
}

console.log("| per | off | on | unit | on / off by round |\n|---|--:|--:|---|--:|");
await compareCallbacks("callback, one function", () => nothing);
await compareCallbacks("callback, a new closure each", () => () => undefined);
await compareServers();
