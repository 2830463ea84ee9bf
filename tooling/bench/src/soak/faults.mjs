// Thousands of connections with random faults between two processes, per engine; then what is left behind is counted.
//
//   node tooling/bench/src/soak/faults.mjs [--connections 9000] [--seed 1] [--engine native|node]
//
// Ends with 1 when anything is left: a descriptor, a handler of the poller, a timer, a connection of the server.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    connections: { type: "string", default: "9000" },
    seed: { type: "string", default: "1" },
    engine: { type: "string" },
  },
});

/** Starts one side; `ask` sends a message and resolves with the answer. */
function start(role, settings) {
  const child = fork(
    fileURLToPath(new URL(`faults-${role}.mjs`, import.meta.url)),
    [JSON.stringify(settings)],
    {
      execArgv: ["--expose-gc"],
    },
  );
  const ask = async (message) => {
    child.send(message);
    const [answer] = await once(child, "message");
    return answer;
  };
  return { child, ask };
}

async function run(engine) {
  const settings = { engine, connections: Number(values.connections), seed: Number(values.seed) };
  const server = start("server", settings);
  const { port } = await server.ask({ do: "listen" });
  const clients = start("clients", { ...settings, port });
  const began = performance.now();
  const { outcomes, most, left: leftByClients } = await clients.ask({ do: "run" });
  const seconds = (performance.now() - began) / 1000;
  const { served, most: mostServed, left: leftByServer } = await server.ask({ do: "report" });
  server.child.disconnect();
  clients.child.disconnect();
  return { engine, seconds, outcomes, most, served, mostServed, leftByClients, leftByServer };
}

/** Nothing but memory may differ from what was there before. */
function isClean({ descriptors, handlers, timers, connections }) {
  return descriptors === 0 && handlers === 0 && timers === 0 && connections === 0;
}

let clean = true;
for (const engine of values.engine === undefined ? ["native", "node"] : [values.engine]) {
  const result = await run(engine);
  console.log(JSON.stringify(result, null, 2));
  clean &&= isClean(result.leftByClients) && isClean(result.leftByServer);
}
console.log(clean ? "nothing was left behind" : "something was LEFT BEHIND");
process.exitCode = clean ? 0 : 1;
