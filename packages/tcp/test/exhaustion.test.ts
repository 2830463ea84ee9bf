// Running out of descriptors: in a child that may have few of them, because the limit is the process's.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { onEveryEngine } from "@tw/tooling-testing";
import { afterEach, expect, it } from "vitest";

const LIMIT = 100;

/** Accepts and holds; a line on stdin makes it report, and let go of what it holds. */
const program = (engine: string) => `
  import { createInterface } from "node:readline";
  import { TCPServer } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
  const streams = [];
  const server = new TCPServer((stream) => void streams.push(stream), { engine: "${engine}" });
  await server.listen(0, "127.0.0.1");
  console.log(server.port);
  let before = process.cpuUsage();
  createInterface({ input: process.stdin }).on("line", () => {
    const { user, system } = process.cpuUsage(before);
    console.log(JSON.stringify({ held: streams.length, cpuMs: (user + system) / 1000 }));
    for (const stream of streams.splice(0)) stream.abort();
    before = process.cpuUsage();
  });`;

onEveryEngine((engine) => {
  const sockets: Socket[] = [];
  let kill = () => {};

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    kill();
  });

  it("goes on accepting when descriptors come back, and does not spin while there are none", async () => {
    const child = spawn(
      "/bin/sh",
      ["-c", `ulimit -n ${LIMIT}; exec "$0" --input-type=module -e "$1"`, process.execPath, program(engine)],
      { stdio: ["pipe", "pipe", "ignore"] },
    );
    kill = () => void child.kill("SIGKILL");
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const port = Number((await lines.next()).value);
    const open = (count: number) => {
      for (let i = 0; i < count; i++) sockets.push(connect(port, "127.0.0.1").on("error", () => {}));
      return once(sockets.at(-1) as Socket, "connect");
    };
    const report = async (waitMs: number) => {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      child.stdin.write("\n");
      return JSON.parse((await lines.next()).value as string) as { held: number; cpuMs: number };
    };

    await open(LIMIT + 50);
    const full = await report(600);
    expect(full.held).toBeLessThan(LIMIT);
    expect(full.cpuMs).toBeLessThan(400);
    // Natively they waited in the kernel; libuv closes those that come while descriptors are short.
    if (engine === "native") while ((await report(20)).held === 0);
    await open(5);
    for (let held = 0; held < 5; ) held += (await report(20)).held;
  });
});
