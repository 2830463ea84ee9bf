// Restarts under load. The listening socket belongs to this process and is inherited by the servers, as a service manager
// would have it, so that its queue survives them: no request may fail on a connection whose handshake was complete.
//
//   node tooling/bench/src/soak/drain.mjs [--restarts 50] [--processes 1|2|…] [--engine native|node]
//
// With one process, every other restart starts the new server when the old one has gone: the queue is all there is then.
// Ends with 1 when a request failed, or a server did not end by itself.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bindSockets } from "@tw/tcp";
import { client, Outcomes } from "./drain-clients.mjs";

const { values } = parseArgs({
  options: {
    restarts: { type: "string", default: "50" },
    processes: { type: "string", default: "1" },
    engine: { type: "string" },
  },
});

const LIFE_MS = 100; // of a server, before it is replaced
const END_MS = 10_000;
const SINGLE_CLIENTS = 12;
const KEEPING_CLIENTS = 12;

/** Starts a server on the descriptor of the listening socket: LISTEN_PID must be its own, so a shell tells it. */
async function startServer(fd, engine) {
  const script = fileURLToPath(new URL("drain-server.mjs", import.meta.url));
  const command = ["-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh", process.execPath, script];
  const child = spawn("sh", command, {
    stdio: ["ignore", "inherit", "inherit", fd, "ipc"],
    env: { ...process.env, TW_ENGINE: engine },
  });
  await Promise.race([
    once(child, "message"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`a server ended with ${code}`))),
  ]);
  return child;
}

/** @returns {Promise<string | undefined>} what was wrong with how it ended */
async function stopServer(child) {
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const ended = await Promise.race([exited, sleep(END_MS, undefined, { ref: false })]);
  if (ended === undefined) child.kill("SIGKILL");
  if (ended === undefined) return `a server had not ended ${END_MS} ms after SIGTERM`;
  return ended[0] === 0 ? undefined : `a server ended with ${ended[0] ?? ended[1]}`;
}

async function run(engine, processes) {
  const [socket] = await bindSockets(0, "127.0.0.1", { engine: "native" });
  const servers = [];
  for (let i = 0; i < processes; i++) servers.push(await startServer(socket.fd, engine));
  const outcomes = new Outcomes();
  const problems = [];
  let stopped = false;
  const ask = (most) => client(socket.port, most, outcomes, () => stopped);
  const clients = [
    ...Array.from({ length: SINGLE_CLIENTS }, () => ask(1)),
    ...Array.from({ length: KEEPING_CLIENTS }, () => ask(1000)),
  ];
  const began = performance.now();
  for (let restart = 0; restart < Number(values.restarts); restart++) {
    await sleep(LIFE_MS);
    const old = servers.shift();
    const gap = processes === 1 && restart % 2 === 1;
    if (!gap) servers.push(await startServer(socket.fd, engine));
    const wrong = await stopServer(old);
    if (wrong !== undefined) problems.push(wrong);
    if (gap) servers.push(await startServer(socket.fd, engine));
  }
  await sleep(LIFE_MS);
  stopped = true;
  await Promise.all(clients);
  for (const server of servers) await stopServer(server);
  await socket.close();
  return { outcomes, problems, seconds: (performance.now() - began) / 1000 };
}

let good = true;
for (const engine of values.engine === undefined ? ["native", "node"] : [values.engine]) {
  const { outcomes, problems, seconds } = await run(engine, Number(values.processes));
  const { answered, connections, failed, raced } = outcomes;
  const findings = [...problems, ...failed, ...raced];
  for (const line of [...new Set(findings)].slice(0, 10)) console.log(line);
  console.log(
    `drain on ${engine}, ${values.processes} process(es), ${values.restarts} restarts in ${seconds.toFixed(0)} s: ` +
      `${answered} answers on ${connections} connections, ${failed.length} failed, ` +
      `${raced.length} sent to kept connections as they were closed`,
  );
  good &&= findings.length === 0 && answered > 0;
}
process.exitCode = good ? 0 : 1;
