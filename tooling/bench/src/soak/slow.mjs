// Slow clients against a running server, and honest ones beside them:
//
//   node tooling/bench/src/soak/slow.mjs --kind heads|bodies|silent|readers [--clients 5000] [--timeout 3000] [--engine native|node]
//
// Ends with 1 when the honest ones wait 50 ms or longer at the 99th percentile, or fail; when a slow client is still there after
// three of the server's timeouts; when the server grows by more than a few buffers for each; when something is left behind.
// On a machine that is busy with other things waiting says nothing of the server: it is shown, and not judged.

import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { residentBytes, waitedForCoreNs } from "../machine.mjs";
import { SlowClients } from "./slow-clients.mjs";

const { values } = parseArgs({
  options: {
    kind: { type: "string", default: "heads" },
    clients: { type: "string", default: "5000" },
    timeout: { type: "string", default: "3000" },
    engine: { type: "string" },
  },
});

const HONEST = 100;
const EVERY_MS = 20;
const BUSY = 0.25; // of the time, in which server and honest clients had to wait for a core
const P99_MS = 50;
const PER_CLIENT = { heads: 8, bodies: 16, silent: 16, readers: 160 }; // KiB of the server's, at most
const SPARE_KIB = 24 * 1024;

/** Starts one of the other processes; `ask` sends a message and resolves with the answer. */
function start(role, settings) {
  const script = fileURLToPath(new URL(`slow-${role}.mjs`, import.meta.url));
  const child = fork(script, [JSON.stringify(settings)], { execArgv: ["--expose-gc"] });
  const ask = async (order) => {
    child.send({ do: order });
    return (await once(child, "message"))[0];
  };
  return { child, ask };
}

async function run(engine, kind) {
  const count = Number(values.clients);
  const timeoutMs = Number(values.timeout);
  const server = start("server", { engine, timeoutMs });
  const problems = [];
  const { port } = await server.ask("listen");
  const honest = start("honest", { port, count: HONEST, everyMs: EVERY_MS });
  await sleep(500);
  await honest.ask("begin");
  await sleep(1000);
  const { p99: before } = await honest.ask("begin");
  const idle = residentBytes(server.child.pid);
  const slow = new SlowClients(port, kind, count);
  const began = performance.now();
  const pids = [server.child.pid, honest.child.pid];
  const waited = () => pids.reduce((sum, pid) => sum + waitedForCoreNs(pid), 0) / 1e6;
  const waitedBefore = waited();
  const patience = 3 * timeoutMs + 5000;
  let most = 0;
  while (slow.left > 0 && performance.now() - began < patience) {
    await sleep(50);
    most = Math.max(most, residentBytes(server.child.pid) - idle);
  }
  const seconds = (performance.now() - began) / 1000;
  const busy = (waited() - waitedBefore) / (performance.now() - began);
  const { p99, failures } = await honest.ask("end");
  honest.child.disconnect();
  if (slow.connected < count) problems.push(`only ${slow.connected} of ${count} could connect`);
  if (slow.left > 0)
    problems.push(`${slow.left} of ${count} slow clients are still there after ${seconds.toFixed(1)} s`);
  slow.close();
  if (failures > 0) problems.push(`${failures} honest clients lost their connection`);
  if (busy <= BUSY && !(p99 < P99_MS))
    problems.push(`honest clients waited ${p99?.toFixed(1)} ms (99 %), limit ${P99_MS} ms`);
  const grown = most / 1024;
  const room = SPARE_KIB + count * PER_CLIENT[kind];
  if (grown > room) problems.push(`the server grew by ${Math.round(grown)} KiB, limit ${room} KiB`);
  const { left, errors } = await server.ask("report");
  for (const error of errors.slice(0, 3)) problems.push(`in the server's log: ${error}`);
  if (left.descriptors > 0 || left.handlers > 0 || left.timers > 0)
    problems.push(`left behind: ${JSON.stringify(left)}`);
  server.child.disconnect();
  const summary =
    `${count} slow ${kind} on ${engine}, timeout ${timeoutMs} ms: gone after ${seconds.toFixed(1)} s, ` +
    `honest p99 ${before?.toFixed(1)} ms before, ${p99?.toFixed(1)} ms meanwhile${busy > BUSY ? " (NOT JUDGED: this machine is busy)" : ""}, server grew by ${(most / 2 ** 20).toFixed(0)} MiB`;
  return { problems, summary };
}

if (!(values.kind in PER_CLIENT)) throw new TypeError(`--kind takes ${Object.keys(PER_CLIENT).join(", ")}`);
let good = true;
for (const engine of values.engine === undefined ? ["native", "node"] : [values.engine]) {
  const { problems, summary } = await run(engine, values.kind);
  for (const problem of problems) console.log(problem);
  console.log(summary);
  good &&= problems.length === 0;
}
process.exitCode = good ? 0 : 1;
