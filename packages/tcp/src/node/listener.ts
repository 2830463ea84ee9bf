// Listening on Node's own sockets: everywhere Node runs. Node accepts as long as it listens and cannot be asked not to;
// so a paused listener keeps what comes in a queue of its own, unread, as the kernel would.

import { chmodSync } from "node:fs";
import {
  type AddressInfo,
  createServer,
  type ListenOptions as NodeListenOptions,
  type Server,
} from "node:net";
import { isMainThread } from "node:worker_threads";
import type { IOLoop } from "@tw/ioloop";
import type { Transport } from "@tw/iostream";
import { acceptNodeSocket, inNextTurn, type NodeTransport } from "@tw/iostream/transports";
import { deliver } from "../deliver.js";
import { codeOf, ListenError } from "../errors.js";
import type { Listener, ListenOptions } from "../network.js";
import { report } from "../report.js";

/** As many as the native engine accepts. */
const DELIVERED_PER_TURN = 64;

/** Binds and listens on one address, or on the descriptor that `options` bring. */
export async function nodeListen(
  loop: IOLoop,
  options: ListenOptions,
  onConnection: (transport: Transport) => void,
): Promise<Listener> {
  const listener = new NodeListener(loop, options, onConnection);
  await listener.listening;
  return listener;
}

/** Poll passes in which a listener that is about to close accepts who waits. */
const LAST_TURNS = 65_536;

class NodeListener implements Listener {
  address = "";
  port = 0;
  /** Settles when it listens, or cannot. */
  readonly listening: Promise<void>;
  readonly #loop: IOLoop;
  readonly #options: ListenOptions;
  readonly #server: Server;
  readonly #onConnection: (transport: Transport) => void;
  readonly #waiting: NodeTransport[] = [];
  #paused = false;
  #accepts = 0;

  constructor(loop: IOLoop, options: ListenOptions, onConnection: (transport: Transport) => void) {
    this.#loop = loop;
    this.#options = options;
    this.#onConnection = onConnection;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
      this.#accepted(acceptNodeSocket(loop, socket));
    });
    this.listening = this.#listen();
  }

  #listen(): Promise<void> {
    const { mode, address, fd } = this.#options;
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once("error", (error) => reject(fd === undefined ? error : notListening(fd, error)));
      const options = nodeOptions(this.#options);
      // Node binds and listens at once, and the file must not be open to everybody in between.
      if (mode === undefined) server.listen(options);
      else withUmask(0o777 & ~mode, () => server.listen(options));
      server.once("listening", () => {
        server.removeAllListeners("error");
        server.on("error", (error) => report(this.#loop, "warn", "accept failed", error));
        try {
          if (mode !== undefined && !address.startsWith("\0")) chmodSync(address, mode);
        } catch (error) {
          server.close();
          return reject(error);
        }
        this.#learnName();
        resolve();
      });
    });
  }

  #learnName(): void {
    const { fd } = this.#options;
    const found = this.#server.address() as AddressInfo | string | null;
    // Of a Unix socket that somebody gave us Node knows no path.
    const bound = fd === undefined || found !== null ? found : nameOf(this.#loop, fd);
    this.address = typeof bound === "string" ? bound : (bound?.address ?? "");
    this.port = typeof bound === "string" ? 0 : (bound?.port ?? 0);
  }

  #accepted(transport: NodeTransport): void {
    this.#accepts++;
    if (!this.#paused && this.#waiting.length === 0) deliver(this.#loop, transport, this.#onConnection);
    else if (this.#waiting.length < this.#options.backlog) this.#waiting.push(transport);
    else transport.abort();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#waiting.length > 0) inNextTurn(this.#loop, () => this.#deliverWaiting());
  }

  #deliverWaiting(): void {
    for (let i = 0; i < DELIVERED_PER_TURN && !this.#paused; i++) {
      const transport = this.#waiting.shift();
      if (transport === undefined) return;
      deliver(this.#loop, transport, this.#onConnection);
    }
    if (!this.#paused) inNextTurn(this.#loop, () => this.#deliverWaiting());
  }

  /** libuv accepts in each poll pass, some versions one connection only: when a pass brings none, nobody waits. */
  async acceptWaiting(): Promise<void> {
    for (let turn = 0, before = -1; turn < LAST_TURNS && before < this.#accepts; turn++) {
      if (this.#loop.closed) return;
      before = this.#accepts;
      await new Promise<void>((resolve) => this.#loop.afterPoll(resolve));
    }
  }

  async close(): Promise<void> {
    // Node reports "closed" only when the last connection ended; the listening socket is shut at once.
    if (this.#server.listening) this.#server.close();
    for (const transport of this.#waiting.splice(0)) transport.abort();
  }
}

/**
 * Whether this is a child of `forkProcesses`. Workers of node:cluster share whatever they listen on, a free port (0) included; what
 * such a child listens on by itself is its own, as on the native engine.
 */
const isTask = (): boolean => process.env.TW_TASK !== undefined;

function nodeOptions(asked: ListenOptions): NodeListenOptions {
  const { address, port, family, backlog, reusePort, shared = !isTask(), fd } = asked;
  if (fd !== undefined) return { fd, backlog } as NodeListenOptions;
  const exclusive = !shared;
  if (family === "unix") return { path: address, backlog, exclusive };
  const options = { host: address, port, backlog, ipv6Only: family === 6, exclusive };
  if (reusePort !== true) return options;
  if (hasReusePort(process.versions.node)) return { ...options, reusePort } as NodeListenOptions;
  throw new ListenError(
    "ERR_TW_REUSE_PORT",
    `Node ${process.versions.node} has no reusePort; take the native engine, or Node 22.12, 23.1 or newer`,
  );
}

/** Node says nothing of options that it does not know. */
export function hasReusePort(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}

/** The umask is the process's, and a worker may not change it: there `chmod` follows a moment later. */
function withUmask(mask: number, call: () => void): void {
  if (!isMainThread) return call();
  const before = process.umask(mask);
  try {
    call();
  } finally {
    process.umask(before);
  }
}

/** What a descriptor is bound to, where there is a poller to ask. */
function nameOf(loop: IOLoop, fd: number): string {
  const name = loop.poller?.getsockname(fd);
  return typeof name === "object" ? name.address : "";
}

function notListening(fd: number, error: unknown): ListenError {
  const why = codeOf(error) || String(error);
  return new ListenError("ERR_TW_NOT_LISTENING", `Descriptor ${fd} is no listening stream socket: ${why}`, {
    cause: error,
  });
}
