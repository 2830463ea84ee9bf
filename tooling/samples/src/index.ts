// Runs a built sample as users do: in a process of its own. For the tests in apps/; call it within a test or beforeEach.

import { type ChildProcess, spawn } from "node:child_process";
import { createServer, type Server } from "node:net";
import { fileURLToPath } from "node:url";
import { nativeAvailable } from "@tw/tooling-testing";
import { onTestFinished } from "vitest";

/** The machines a sample must behave identically on: what is set in its environment. */
export const MACHINES: readonly { readonly name: string; readonly env: Readonly<Record<string, string>> }[] =
  [
    ...(nativeAvailable ? [{ name: "the native engine", env: { TW_ENGINE: "native" } }] : []),
    { name: "the node engine", env: { TW_ENGINE: "node" } },
    { name: "a machine without the addon", env: { TW_NO_NATIVE: "1" } },
  ];

/** How a sample ended, and all it said. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A sample that is running. */
export interface Sample {
  readonly port: number;
  readonly whenEnded: Promise<Ending>;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Ending>;
}

/** Runs a sample to its end. */
export function runSample(
  name: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ending> {
  return start(name, args, env).whenEnded;
}

/** Starts a server sample on a free port and waits until it prints its address. */
export async function startSample(name: string, env: Record<string, string> = {}): Promise<Sample> {
  const { child, whenEnded } = start(name, [], { PORT: "0", ...env });
  const port = await new Promise<number>((resolve, reject) => {
    let said = "";
    child.stdout?.on("data", (text: string) => {
      said += text;
      const address = /^\w+:\/\/localhost:(\d+)\n/m.exec(said);
      if (address !== null) resolve(Number(address[1]));
    });
    whenEnded.then((ending) => reject(new Error(`${name} ended: ${JSON.stringify(ending)}`)));
  });
  const stop = (signal: NodeJS.Signals = "SIGTERM") => {
    child.kill(signal);
    return whenEnded;
  };
  return { port, whenEnded, stop };
}

/** Listens on a port that a sample then finds taken. */
export async function takePort(): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("listening without a port");
  return { port: address.port, server };
}

/** What a sample says in one line, before it ends with 1, of a port that it cannot have: PORT, and the line. */
export async function withoutPort(
  name: string,
  env: Record<string, string>,
): Promise<readonly { readonly ending: Ending; readonly expected: Ending }[]> {
  const { port, server } = await takePort();
  const lines = {
    [port]: `Port ${port} is taken. Set PORT to another one: PORT=9000\n`,
    abc: 'PORT is "abc", which is not a port.\n',
    "1e3": 'PORT is "1e3", which is not a port.\n',
    " 8 ": 'PORT is " 8 ", which is not a port.\n',
  };
  const runs = Object.entries(lines).map(async ([PORT, stderr]) => ({
    ending: await runSample(name, [], { ...env, PORT }),
    expected: { code: 1, signal: null, stdout: "", stderr },
  }));
  const endings = await Promise.all(runs);
  server.close();
  return endings;
}

function start(name: string, args: readonly string[], env: Record<string, string>) {
  const main = fileURLToPath(new URL(`../../../apps/${name}/dist/main.js`, import.meta.url));
  const { TW_ENGINE: _engine, TW_NO_NATIVE: _native, ...surroundings } = process.env;
  const child: ChildProcess = spawn(process.execPath, [main, ...args], {
    env: { ...surroundings, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // A test that failed half-way leaves no server behind.
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const whenEnded = new Promise<Ending>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, whenEnded };
}
