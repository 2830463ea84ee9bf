// Reading a million short lines from a socket: `node tooling/bench/src/stream/lines.mjs [rounds]`.
// Every reader in a process of its own, which this one sends the lines to; rounds interleaved, CPU of the reader alone.
import { fork } from "node:child_process";
import { createConnection, createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { lines } from "@tw/iostream/framing";
import { TCPServer } from "@tw/tcp";
import { spread } from "../statistics.mjs";

const LINES = 1_000_000;
const LINE = "hello world, short line\n";
const codec = lines({ maxFrameSize: 1024 });

/** Readers of one stream of a million lines; each returns how many it saw. */
const OURS = {
  "frames(lines())": async (stream) => {
    let count = 0;
    for await (const _ of stream.frames(codec)) count++;
    return count;
  },
  "frames(lines()).batches()": async (stream) => {
    let count = 0;
    for await (const batch of stream.frames(codec).batches()) count += batch.length;
    return count;
  },
  readUntil: async (stream) => {
    let count = 0;
    for (; count < LINES; count++) await stream.readUntil("\n", { maxBytes: 1024 });
    return count;
  },
};

const THEIRS = {
  "node:readline, for await": async (input) => {
    let count = 0;
    for await (const _ of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) count++;
    return count;
  },
  "node:readline, line events": (input) =>
    new Promise((resolve) => {
      let count = 0;
      createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
        .on("line", () => count++)
        .on("close", () => resolve(count));
    }),
};

const ROWS = [
  ...Object.keys(THEIRS).map((reader) => ({ reader, engine: "node:net" })),
  ...Object.keys(OURS).flatMap((reader) => ["native", "node"].map((engine) => ({ reader, engine }))),
];

/** The reader's side: each connection is a round. */
async function serve(reader, engine) {
  const measured = async (read, from) => {
    const cpu = process.cpuUsage();
    const began = performance.now();
    const count = await read(from);
    const { user, system } = process.cpuUsage(cpu);
    process.send({ count, wallMs: performance.now() - began, cpuMs: (user + system) / 1000 });
  };
  if (engine === "node:net") {
    const server = createServer((socket) => void measured(THEIRS[reader], socket));
    server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
  } else {
    const server = new TCPServer(
      async (stream) => {
        await measured(OURS[reader], stream);
        await stream.close();
      },
      { engine },
    );
    await server.listen(0, "127.0.0.1");
    process.send({ port: server.port });
  }
}

const said = (child) => new Promise((resolve) => child.once("message", resolve));

async function main(rounds) {
  const wire = Buffer.from(LINE.repeat(LINES));
  const rows = [];
  for (const row of ROWS) {
    const child = fork(fileURLToPath(import.meta.url), ["--serve", row.reader, row.engine]);
    rows.push({ ...row, child, port: (await said(child)).port, cpu: [], wall: [] });
  }
  // The first round is a warm-up.
  for (let round = 0; round <= rounds; round++) {
    for (const { child, port, cpu, wall, reader } of rows) {
      const result = said(child);
      const socket = createConnection(port, "127.0.0.1", () => socket.end(wire)).on("error", () => {});
      socket.resume();
      const { count, wallMs, cpuMs } = await result;
      if (count !== LINES) throw new Error(`${reader} saw ${count} lines of ${LINES}`);
      if (round === 0) continue;
      cpu.push(cpuMs);
      wall.push(wallMs);
    }
  }
  for (const { child } of rows) child.kill();
  const base = rows[0].cpu;
  console.log("| reader | on | CPU ns/line | wall ns/line | times node:readline, for await |");
  console.log("| --- | --- | --: | --: | --: |");
  for (const { reader, engine, cpu, wall } of rows) {
    const ratio = spread(cpu.map((value, round) => base[round] / value));
    console.log(`| ${reader} | ${engine} | ${nanos(cpu)} | ${nanos(wall)} | ${show(ratio, 2)} |`);
  }
}

// Milliseconds for a million lines are nanoseconds for one.
const nanos = (values) => show(spread(values), 0);
const show = ({ median, min, max }, digits) =>
  `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;

const [first, reader, engine] = process.argv.slice(2);
if (first === "--serve") await serve(reader, engine);
else await main(Number(first ?? 7));
