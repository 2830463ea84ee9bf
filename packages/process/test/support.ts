// A server of several processes, as its clients and its operator see it.

import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach } from "vitest";

/** What a child says when it serves. */
export interface Served {
  readonly id: number;
  readonly pid: number;
  readonly port: number;
  /** What one that listens for itself was refused with. */
  readonly code?: string;
}

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.clear();
});

/** The parent process, and what it and its children have said so far. */
export class Server {
  readonly process: ChildProcess;
  readonly served: Served[] = [];
  stderr = "";
  #changed: (() => void)[] = [];
  readonly exit: Promise<{ code: number | null; signal: string | null }>;

  constructor(environment: Record<string, string>, fixture = "server.mjs") {
    this.process = spawn(process.execPath, [fileURLToPath(new URL(`fixtures/${fixture}`, import.meta.url))], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    this.process.stdout?.on("data", (data: Buffer) => {
      text += data.toString();
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) if (line.startsWith("{")) this.served.push(JSON.parse(line));
      this.#change();
    });
    this.process.stderr?.on("data", (data: Buffer) => {
      this.stderr += data.toString();
      this.#change();
    });
    this.exit = new Promise((resolve) => {
      this.process.once("close", (code, signal) => resolve({ code, signal }));
    });
    servers.push(this);
  }

  get port(): number {
    return this.served[0]?.port ?? 0;
  }

  /** Waits until the processes have said enough. */
  async until(enough: (server: Server) => boolean): Promise<this> {
    while (!enough(this)) {
      await new Promise<void>((resolve, reject) => {
        this.#changed.push(resolve);
        this.exit.then(() => {
          this.#changed.push(resolve);
          if (!enough(this)) reject(new Error(`The server has ended:\n${this.stderr}`));
        });
      });
    }
    return this;
  }

  #change(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }

  /** Ends what a failed test left behind: these processes, by their numbers. */
  clear(): void {
    this.process.kill("SIGKILL");
    for (const { pid } of this.served) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }
  }
}

/** Connects, waits for the greeting, sends one order. Gives the answer, or how far it came. */
export async function order(port: number, text: string, onGreeted?: () => void): Promise<string> {
  return await new Promise((resolve) => {
    let got = "";
    const socket = connect(port, "127.0.0.1");
    socket.on("data", (data) => {
      const greeted = got.includes("\n");
      got += data.toString();
      if (!greeted && got.includes("\n")) onGreeted?.();
      if (got.split("\n").length === 3) socket.end();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (!got.startsWith("hello\n")) resolve("refused");
      else resolve(got.slice("hello\n".length).trim() || "lost");
    });
    socket.write(`${text}\n`);
  });
}
