// Mutated requests, or WebSocket frames, over real sockets against a running server:
//
//   node tooling/bench/src/soak/fuzz.mjs [--what http|websocket] [--seconds 60] [--seed 1] [--engine native|node]
//                                        [--first 0] [--count N]
//
// Ends with 1 on: an answer that is not one of ours, an error in the server's log, a connection that is not closed, a
// server that is gone or does not answer meanwhile or afterwards, or something left behind: a descriptor, a handler, a
// timer, memory. A finding names its connection: --first N --count 1 with the same seed sends those bytes alone.

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readRequests } from "./corpus.mjs";
import { exchange, http, websocket } from "./fuzz-clients.mjs";
import { randomOf } from "./inventory.mjs";

const { values } = parseArgs({
  options: {
    what: { type: "string", default: "http" },
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    first: { type: "string", default: "0" },
    count: { type: "string", default: "Infinity" },
    engine: { type: "string" },
  },
});

const AT_ONCE = 64;
const WARM_UP = 2000; // connections before the memory is remembered
const HEALTHY_MS = 5000;
const MOST_FINDINGS = 5;
const MOST_HEAP_KIB = 8 * 1024;
const HELLO = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

const corpus = readRequests();
const client = { http, websocket }[values.what];

async function run(engine) {
  const findings = [];
  const found = (text) => {
    if (findings.length < MOST_FINDINGS) findings.push(text);
  };
  const child = fork(
    fileURLToPath(new URL("fuzz-server.mjs", import.meta.url)),
    [JSON.stringify({ engine, what: values.what })],
    { execArgv: ["--expose-gc"] },
  );
  let gone = false;
  child.once("exit", (code, signal) => {
    gone = true;
    found(`the server is gone: ${signal ?? code}`);
  });
  const ask = async (message) => {
    child.send(message);
    const [answer] = await Promise.race([once(child, "message"), once(child, "exit").then(() => [{}])]);
    return answer;
  };
  const { port } = await ask({ do: "listen" });

  const outcomes = {};
  const last = Number(values.first) + Number(values.count);
  let next = Number(values.first);
  /** Opens connections until `more` says that it is enough. */
  const fuzz = (more) =>
    Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (next < last && !gone && more()) {
          const i = next++;
          const { wire, wrong, outcome } = await client(
            port,
            randomOf(Number(values.seed) + i * 65_537),
            corpus,
          );
          outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
          if (wrong !== undefined)
            found(`--first ${i} --count 1: ${wrong}\n  sent ${JSON.stringify(wire.slice(0, 400))}`);
        }
      }),
    );

  const healthy = async () => {
    const began = performance.now();
    const { received } = await exchange(port, [HELLO], "end");
    const ms = performance.now() - began;
    if (!received.startsWith("HTTP/1.1 ")) found(`no answer to hello: ${JSON.stringify(received)}`);
    else if (ms > HEALTHY_MS) found(`hello took ${Math.round(ms)} ms`);
  };
  let watching = true;
  const watch = async () => {
    while (watching && !gone) {
      await healthy();
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  };

  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  await fuzz(() => next < Number(values.first) + WARM_UP);
  await ask({ do: "remember" });
  const watched = watch();
  await fuzz(() => seconds() < Number(values.seconds));
  watching = false;
  await watched;
  if (!gone) await healthy();
  const { left = {}, errors = [], open = 0 } = gone ? {} : await ask({ do: "report" });
  for (const error of errors) found(`in the server's log: ${error}`);
  if (open > 0) found(`${open} WebSockets were opened and never told of their end`);
  const { descriptors, handlers, timers, heapKiB, buffersKiB } = left;
  if (descriptors > 0 || handlers > 0 || timers > 0 || heapKiB > MOST_HEAP_KIB || buffersKiB > MOST_HEAP_KIB)
    found(`left behind: ${JSON.stringify(left)}`);
  child.removeAllListeners("exit");
  if (child.connected) child.disconnect();
  const shown = Object.entries(outcomes).sort(([, a], [, b]) => b - a);
  const summary = shown.map(([outcome, count]) => `${outcome} ${count}`).join(", ");
  const opened = `${next - Number(values.first)} connections in ${seconds().toFixed(0)} s`;
  return { findings, summary: `${opened}, heap ${heapKiB} KiB: ${summary}`, left };
}

let good = true;
for (const engine of values.engine === undefined ? ["native", "node"] : [values.engine]) {
  const { findings, summary, left } = await run(engine);
  for (const finding of findings) console.log(finding);
  console.log(JSON.stringify(left));
  console.log(`${values.what} on ${engine}, seed ${values.seed}, ${summary}`);
  good &&= findings.length === 0;
}
process.exitCode = good ? 0 : 1;
