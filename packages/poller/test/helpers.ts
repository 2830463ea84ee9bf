// What the poller's tests share: the poller, waiting on real descriptors, and child processes.

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadPoller, type Poller, type PollHandle, type PollSink } from "../src/index.js";

export const { EAGAIN, EBADF, ECONNRESET, EEXIST, EINVAL, EPERM, EPIPE, ENOENT } = constants.errno;

/** A suite for machines with a poller; load.test.ts says when there must be one. */
export function native(name: string, suite: (poller: Poller) => void): void {
  const poller = loadPoller();
  describe(name, () => {
    if (poller !== undefined) suite(poller);
    else it("there is no poller here", () => expect(loadPoller()).toBeUndefined());
  });
}

/** A turn of Node's loop: one poll phase has passed. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Several turns: enough for everything that is ready to have been reported. */
export async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

/** Waits, turn by turn, until the condition holds; fails after ten seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Timed out waiting until ${condition}`);
    await turn();
  }
}

/** Waits until the loop waits: a set that keeps firing would send it round hundreds of times in each of these moments. */
export async function quiet(): Promise<void> {
  const rounds = () => performance.nodeTiming.uvMetricsInfo.loopCount;
  let before: number;
  do {
    before = rounds();
    await new Promise((resolve) => setTimeout(resolve, 20));
  } while (rounds() - before > 10);
}

export function pair(poller: Poller): readonly [number, number] {
  const made = poller.socketpair();
  if (typeof made === "number") throw new Error(poller.errnoName(made));
  return made;
}

export function pipe(poller: Poller): readonly [number, number] {
  const made = poller.pipe();
  if (typeof made === "number") throw new Error(poller.errnoName(made));
  return made;
}

/** A listening TCP socket on the loopback, and its port. */
export function listener(poller: Poller): { fd: number; port: number } {
  const fd = poller.socket(4);
  if (poller.bind(fd, "127.0.0.1", 0) !== 0 || poller.listen(fd, 128) !== 0) throw new Error("cannot listen");
  const name = poller.getsockname(fd);
  if (typeof name === "number") throw new Error(poller.errnoName(name));
  return { fd, port: name.port };
}

/** A connected pair of TCP sockets. */
export async function tcpPair(poller: Poller): Promise<readonly [number, number]> {
  const { fd, port } = listener(poller);
  const client = poller.socket(4);
  poller.connect(client, "127.0.0.1", port);
  let server = -1;
  await until(() => {
    const accepted = poller.accept(fd);
    if (typeof accepted !== "number") server = accepted.fd;
    return server !== -1;
  });
  poller.closeFd(fd);
  return [client, server];
}

/** A sink that notes its events, and then does what it is told. */
export class Recorder implements PollSink {
  readonly seen: number[] = [];
  handle: PollHandle = -1;
  readonly #then: ((events: number, self: Recorder) => void) | undefined;

  constructor(then?: (events: number, self: Recorder) => void) {
    this.#then = then;
  }

  onEvents(events: number): void {
    this.seen.push(events);
    this.#then?.(events, this);
  }
}

export interface ChildResult {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command to its end (ten seconds at most). */
export function run(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<ChildResult> {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 10_000,
  });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, out: out.trim(), err: err.trim() }));
  });
}

/** Runs test/children/`name`.mjs, which uses the built package. */
export function runChild(
  name: string,
  args: readonly string[] = [],
  nodeArgs: readonly string[] = [],
): Promise<ChildResult> {
  const script = fileURLToPath(new URL(`./children/${name}.mjs`, import.meta.url));
  return run(process.execPath, [...nodeArgs, script, ...args]);
}
