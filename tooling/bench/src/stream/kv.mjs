// apps/kv beside a real redis-server, under redis-benchmark: `node tooling/bench/src/stream/kv.mjs [rounds]`.
// SET and GET, 50 clients, pipelines of 1 and 16; rounds interleaved; CPU of the server alone. Linux, Debian's
// redis-tools and redis-server, and a built apps/kv.
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { fileURLToPath } from "node:url";
import { spread } from "../statistics.mjs";

const KV = fileURLToPath(new URL("../../../../apps/kv/dist/main.js", import.meta.url));
const LOADS = [
  { pipeline: 1, requests: 100_000 },
  { pipeline: 16, requests: 800_000 },
];
const FIRST_PORT = 16_379;

const SERVERS = [
  {
    title: "redis-server",
    start: (port) => ["redis-server", "--port", port, "--save", "", "--appendonly", "no"],
  },
  { title: "**apps/kv**, native engine", engine: "native", start: () => [process.execPath, KV] },
  { title: "**apps/kv**, node engine", engine: "node", start: () => [process.execPath, KV] },
];

/** CPU of a process in milliseconds, user and kernel (proc(5): fields 14 and 15, in hundredths of a second). */
function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** @returns {{ test: string, rate: number, p50: number }} of one run of redis-benchmark */
function load(port, test, { pipeline, requests }) {
  const args = ["-p", port, "-t", test, "-c", 50, "-P", pipeline, "-n", requests, "-r", 100_000, "--csv"];
  const [, line] = execFileSync("redis-benchmark", args.map(String), { encoding: "utf8" }).trim().split("\n");
  const [, rate, , , p50] = line.replaceAll('"', "").split(",");
  return { rate: Number(rate), p50: Number(p50) };
}

function listening(port) {
  return new Promise((resolve) => {
    const attempt = () => {
      const socket = createConnection(port, "127.0.0.1", () => {
        socket.destroy();
        resolve();
      });
      socket.on("error", () => setTimeout(attempt, 50));
    };
    attempt();
  });
}

const rounds = Number(process.argv[2] ?? 5);
const show = ({ median, min, max }, digits = 0) =>
  `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;

const servers = SERVERS.map((server, i) => {
  const port = FIRST_PORT + i;
  const [command, ...args] = server.start(String(port));
  const env = { ...process.env, PORT: String(port), ...(server.engine && { TW_ENGINE: server.engine }) };
  return { ...server, port, child: spawn(command, args, { env, stdio: "ignore" }), results: new Map() };
});
try {
  for (const { port } of servers) await listening(port);
  // The first round is a warm-up.
  for (let round = 0; round <= rounds; round++) {
    for (const each of LOADS) {
      for (const test of ["set", "get"]) {
        for (const { port, child, results } of servers) {
          const before = cpuMs(child.pid);
          const { rate, p50 } = load(port, test, each);
          const cpu = ((cpuMs(child.pid) - before) * 1000) / each.requests;
          if (round === 0) continue;
          const key = `${test.toUpperCase()}, pipeline ${each.pipeline}`;
          const result = results.get(key) ?? { rate: [], p50: [], cpu: [] };
          result.rate.push(rate);
          result.p50.push(p50 * 1000);
          result.cpu.push(cpu);
          results.set(key, result);
        }
      }
    }
  }
  const [{ results: base }] = servers;
  for (const key of base.keys()) {
    console.log(
      `\n### ${key}\n\n| server | requests/s | p50 µs | CPU µs/request | CPU, ratio to redis-server |`,
    );
    console.log("| --- | --: | --: | --: | --: |");
    for (const { title, results } of servers) {
      const { rate, p50, cpu } = results.get(key);
      const ratio = spread(cpu.map((value, round) => value / base.get(key).cpu[round]));
      console.log(
        `| ${title} | ${show(spread(rate))} | ${show(spread(p50))} | ${show(spread(cpu), 2)} | ${show(ratio, 2)} |`,
      );
    }
  }
} finally {
  for (const { child } of servers) child.kill();
}
