// SIGTERM, as an operator sends it, to servers under load: no request fails on a connection whose handshake was over,
// with a socket of their own or one that is handed down, with one process and with several.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { bindSockets } from "@tw/tcp";
import { nativeAvailable, onEveryEngine } from "@tw/tooling-testing";
import { afterEach, expect, it } from "vitest";

const fixture = fileURLToPath(new URL("fixtures/draining-server.mjs", import.meta.url));

const servers: Served[] = [];
afterEach(() => {
  for (const { child, pids } of servers.splice(0)) {
    child.kill("SIGKILL");
    for (const pid of pids) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }
  }
});

interface Served {
  readonly child: ChildProcess;
  readonly pids: number[];
  readonly port: number;
  /** Sends SIGTERM and resolves with how it ended. */
  end(): Promise<string>;
}

/** Starts a server and waits until each of its processes serves. */
async function serve(engine: string, mode: string, fd?: number): Promise<Served> {
  const shell = ["-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh", process.execPath, fixture, mode];
  const stdio = ["ignore", "pipe", "inherit", ...(fd === undefined ? [] : [fd])] as const;
  const child =
    fd === undefined
      ? spawn(process.execPath, [fixture, mode], {
          stdio: [...stdio],
          env: { ...process.env, TW_ENGINE: engine },
        })
      : spawn("sh", shell, { stdio: [...stdio], env: { ...process.env, TW_ENGINE: engine } });
  const pids: number[] = [];
  let port = 0;
  let text = "";
  for await (const part of child.stdout as NodeJS.ReadableStream) {
    text += String(part);
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      const said = JSON.parse(line) as { pid: number; port: number };
      pids.push(said.pid);
      port = said.port;
    }
    if (pids.length >= (Number(mode) || 1)) break;
  }
  const exited = once(child, "exit");
  const served = {
    child,
    pids,
    port,
    async end() {
      child.kill("SIGTERM");
      const [code, signal] = await exited;
      return String(code ?? signal);
    },
  };
  servers.push(served);
  return served;
}

/** One connection, and the answers that come on it. */
class Client {
  readonly socket: Socket;
  text = "";
  end: string | undefined;
  #changed: (() => void)[] = [];

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.on("data", (data) => {
      this.text += data.toString("latin1");
      this.#change();
    });
    this.socket.on("end", () => this.#over("ended"));
    this.socket.on("error", (error: NodeJS.ErrnoException) => this.#over(error.code ?? "error"));
  }

  get answers(): number {
    return this.text.split("\r\n\r\nserved").length - 1;
  }

  get closes(): boolean {
    return /\r\nConnection: close\r\n/.test(this.text);
  }

  #over(how: string): void {
    this.end ??= how;
    this.#change();
  }

  #change(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }

  ask(uri = "/"): void {
    this.socket.write(`GET ${uri} HTTP/1.1\r\nHost: a\r\n\r\n`);
  }

  /** Waits for so many answers, or the end. */
  async until(answers: number): Promise<this> {
    while (this.answers < answers && this.end === undefined)
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    return this;
  }

  async connected(): Promise<this> {
    if (this.socket.connecting) await once(this.socket, "connect");
    return this;
  }
}

const many = (count: number, port: number) =>
  Promise.all(Array.from({ length: count }, () => new Client(port).connected()));

onEveryEngine((engine) => {
  for (const mode of ["own", "2"]) {
    const which = mode === "own" ? "one process" : "several processes";

    it(`${which}: who has connected is answered, asked or not, and told that it closes`, async () => {
      const server = await serve(engine, mode);
      const clients = await many(20, server.port);
      const asked = clients.slice(0, 10);
      for (const client of asked) client.ask();
      const ended = server.end();
      for (const client of clients.slice(10)) client.ask();
      for (const client of clients) {
        await client.until(1);
        expect([client.answers, client.end ?? "ended"]).toEqual([1, "ended"]);
      }
      expect(await ended).toBe("0");
      await expect(many(1, server.port)).rejects.toThrow("ECONNREFUSED");
    });

    it(`${which}: who waits in the queue while the loop is busy is answered`, async () => {
      const server = await serve(engine, mode);
      // One request for each process that holds its loop; the rest come behind it.
      const busy = await many(server.pids.length * 8, server.port);
      for (const client of busy) client.ask("/block");
      const clients = await many(100, server.port);
      for (const client of clients) client.ask();
      const ended = server.end();
      for (const client of [...clients, ...busy]) {
        await client.until(1);
        expect([client.answers, client.end ?? "ended"]).toEqual([1, "ended"]);
      }
      expect(await ended).toBe("0");
    });
  }

  for (const processes of [1, 2]) {
    it.skipIf(!nativeAvailable)(
      `a socket that is handed down: restarts of ${processes} under load, and no request fails`,
      async () => {
        const [socket] = await bindSockets(0, "127.0.0.1", { engine: "native" });
        if (socket?.fd === undefined) throw new Error("no descriptor");
        const { fd, port } = socket;
        const running = await Promise.all(
          Array.from({ length: processes }, () => serve(engine, "inherited", fd)),
        );
        const failures: string[] = [];
        let stopped = false;
        let answered = 0;
        /** Asks `most` times on each connection. */
        const load = async (most: number) => {
          while (!stopped) {
            const client = await new Client(port).connected();
            for (let i = 1; i <= most && !client.closes && !stopped; i++) {
              client.ask();
              await client.until(i);
              if (client.answers < i) {
                failures.push(`request ${i}: ${client.end}`);
                break;
              }
              answered++;
            }
            client.socket.destroy();
          }
        };
        const loads = [1, 1, 1, 1, 1000, 1000, 1000, 1000].map(load);
        for (let restart = 0; restart < 4; restart++) {
          // With one process, every other time nobody serves for a while: the queue is all there is.
          const gap = processes === 1 && restart % 2 === 1;
          if (!gap) running.push(await serve(engine, "inherited", fd));
          expect(await running.shift()?.end()).toBe("0");
          if (gap) running.push(await serve(engine, "inherited", fd));
        }
        stopped = true;
        await Promise.all(loads);
        for (const server of running) expect(await server.end()).toBe("0");
        await socket.close();
        expect(failures).toEqual([]);
        expect(answered).toBeGreaterThan(100);
      },
      60_000,
    );
  }
});
