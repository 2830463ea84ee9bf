// A producer of a gigabyte against a reader that sleeps, and then reads with random pauses: how much memory both
// processes hold meanwhile, and whether all bytes arrive in order. Per engine, in plain and over TLS.
//
//   node tooling/bench/src/soak/backpressure.mjs [--megabytes 1024] [--sleep 3000] [--seed 1] [--engine native|node]
//
// Ends with 1 when a hash differs, or a process holds more than 32 MiB above idle while the reader sleeps.

import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const LIMIT = 32;

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "1024" },
    sleep: { type: "string", default: "3000" },
    seed: { type: "string", default: "1" },
    engine: { type: "string" },
  },
});

/** A certificate for localhost. */
function makeIdentity() {
  const folder = mkdtempSync(join(tmpdir(), "tw-soak-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const make =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost";
  execFileSync("openssl", [...make.split(" "), "-keyout", key, "-out", cert], { stdio: "ignore" });
  const identity = { key: readFileSync(key, "latin1"), cert: readFileSync(cert, "latin1") };
  rmSync(folder, { recursive: true });
  return identity;
}

function start(role, settings) {
  const script = fileURLToPath(new URL(`backpressure-${role}.mjs`, import.meta.url));
  const child = fork(script, [JSON.stringify(settings)], { execArgv: ["--expose-gc"] });
  return { child, next: async () => (await once(child, "message"))[0] };
}

async function run(settings) {
  const reader = start("reader", settings);
  const { port } = await reader.next();
  const writer = start("writer", { ...settings, port });
  const began = performance.now();
  const [read, written] = await Promise.all([reader.next(), writer.next()]);
  const seconds = (performance.now() - began - settings.sleepMs) / 1000;
  for (const { child } of [reader, writer]) if (child.connected) child.disconnect();
  return { read, written, seconds };
}

const identity = makeIdentity();
const rows = [];
let good = true;
for (const engine of values.engine === undefined ? ["native", "node"] : [values.engine]) {
  for (const tls of [false, true]) {
    const settings = {
      engine,
      tls,
      identity,
      bytes: Number(values.megabytes) * 2 ** 20,
      sleepMs: Number(values.sleep),
      seed: Number(values.seed),
    };
    const { read, written, seconds } = await run(settings);
    const same = read.hash === written.hash && read.bytes === settings.bytes;
    const bounded = read.asleep <= LIMIT && written.asleep <= LIMIT;
    good &&= same && bounded;
    rows.push({
      engine,
      over: tls ? "TLS" : "plain",
      "reader asleep, MiB": read.asleep,
      "writer meanwhile, MiB": written.asleep,
      "sent meanwhile, MiB": written.sentAsleep,
      "reader reading, MiB": read.awake,
      "writer writing, MiB": written.awake,
      "all bytes in order": same,
      seconds: Number(seconds.toFixed(1)),
    });
  }
}
console.log("Resident memory above idle, the most that was seen:");
console.table(rows);
process.exitCode = good ? 0 : 1;
