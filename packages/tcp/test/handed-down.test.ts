// A listening socket that outlives the process that serves it: made by a parent, handed down, and handed down again.
// Closing one of two listeners resets the connections that wait in its queue; this way the queue survives.

import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { loadPoller } from "@tw/poller";
import { nativeAvailable } from "@tw/tooling-testing";
import { afterEach, expect, it } from "vitest";

/** Accepts on descriptor 3 and answers with its name. */
const program = (name: string) => `
  import { loadPoller, READ } from ${JSON.stringify(new URL("../../poller/dist/index.js", import.meta.url).href)};
  const poller = loadPoller();
  poller.adopt(3);
  poller.watch(3, READ, {
    onEvents() {
      for (let it = poller.accept(3); typeof it !== "number"; it = poller.accept(3)) {
        poller.writev(it.fd, ["${name}"], 0);
        poller.closeFd(it.fd);
      }
    },
  });`;

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function serve(name: string, fd: number): ChildProcess {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program(name)], {
    stdio: ["ignore", "ignore", "inherit", fd],
  });
  children.push(child);
  return child;
}

function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1");
    socket.on("data", (data) => {
      text += data.toString();
    });
    socket.on("error", reject).on("close", () => resolve(text));
  });
}

it.skipIf(!nativeAvailable)(
  "SO_REUSEPORT: connections that wait while a child is replaced are answered by the next one",
  async () => {
    const poller = loadPoller();
    if (poller === undefined) throw new Error("no poller");
    const fd = poller.socket(4);
    expect(poller.setsockopt(fd, "reusePort", 1)).toBe(0);
    expect(poller.bind(fd, "127.0.0.1", 0)).toBe(0);
    expect(poller.listen(fd, 128)).toBe(0);
    const bound = poller.getsockname(fd);
    if (typeof bound === "number") throw new Error(poller.errnoName(-bound));
    const early = ask(bound.port);
    const first = serve("first", fd);
    expect(await early).toBe("first");
    const gone = new Promise((resolve) => first.once("exit", resolve));
    first.kill("SIGKILL");
    await gone;
    const waiting = Array.from({ length: 20 }, () => ask(bound.port));
    serve("second", fd);
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(["second"]));
    poller.closeFd(fd);
  },
);
