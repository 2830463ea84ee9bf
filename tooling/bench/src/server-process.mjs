// One server under test: a process of its own, on core 0, that says `ready` when it listens.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { cpuTimeNs, peakResidentBytes, pinned, resetPeak, residentBytes } from "./machine.mjs";

const START_MS = 10_000;

export class ServerProcess {
  #child;
  #lines;
  /** @type {string[]} */
  #errors = [];

  /** @type {number} */
  port;

  constructor(child, port) {
    this.#child = child;
    this.port = port;
    this.#lines = createInterface({ input: child.stdout });
    child.stderr.on("data", (chunk) => {
      this.#errors.push(String(chunk));
      if (this.#errors.length > 20) this.#errors.shift();
    });
  }

  /**
   * Starts a row's server on a free port.
   * @throws Error with what the server wrote, when it ends or stays silent instead of listening
   */
  static async start(/** @type {import("./rows.mjs").Row} */ row) {
    const port = await freePort();
    const [file, ...args] = pinned(0, [...row.command, String(port)]);
    const child = spawn(file, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, NODE_ENV: "production", ...row.env },
    });
    const server = new ServerProcess(child, port);
    const why = await Promise.race([
      server.expect("ready").then(() => undefined),
      once(child, "close").then(([code]) => `ended with ${code}`),
      once(child, "error").then(([error]) => error.message),
    ]).catch((error) => error.message);
    if (why === undefined) return server;
    child.kill("SIGKILL");
    throw new Error(`${why}: ${reason(server.#errors.join(""))}`);
  }

  get cpuTimeNs() {
    return cpuTimeNs(this.#child.pid);
  }

  get residentBytes() {
    return residentBytes(this.#child.pid);
  }

  /** The most since the last {@link resetPeak}. */
  get peakResidentBytes() {
    return peakResidentBytes(this.#child.pid);
  }

  resetPeak() {
    resetPeak(this.#child.pid);
  }

  get running() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Makes the server collect its garbage; see servers/control.mjs. */
  async collectGarbage() {
    this.#child.stdin.write("gc\n");
    await this.expect("collected");
  }

  expect(/** @type {string} */ wanted) {
    return new Promise((resolve, reject) => {
      const onLine = (line) => {
        if (line.trim() === wanted) settle(resolve);
      };
      const timer = setTimeout(
        () => settle(reject, new Error(`no "${wanted}" after ${START_MS} ms`)),
        START_MS,
      );
      const settle = (how, value) => {
        clearTimeout(timer);
        this.#lines.off("line", onLine);
        how(value);
      };
      this.#lines.on("line", onLine);
    });
  }

  async stop() {
    if (!this.running) return;
    const closed = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await closed;
  }
}

/** The line of a stack trace that says what was wrong, else the last line. */
function reason(stderr) {
  const lines = stderr.trim().split("\n");
  return lines.find((line) => /^(?:\w*Error)\b/.test(line)) ?? lines.at(-1);
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}
