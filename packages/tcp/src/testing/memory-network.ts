// A network without a network: listeners and connections are pairs of memory buffers on one loop.

import { AsyncResource } from "node:async_hooks";
import type { IOLoop } from "@tw/ioloop";
import type { Transport } from "@tw/iostream";
import { type MemoryPairOptions, MemoryTransport } from "@tw/iostream/transports";
import { literal } from "../addresses.js";
import { deliver } from "../deliver.js";
import type { ConnectOptions, Listener, ListenOptions, Network, ResolvedAddress } from "../network.js";

/** The only address there is. */
const HERE = "127.0.0.1";

/**
 * A {@link Network} in memory: one machine, on which every host name is 127.0.0.1 and ports are its own. For several
 * hosts, and faults between them, see `@tw/testing`.
 *
 * @example
 * const { loop } = virtualLoop();
 * useNetwork(loop, new MemoryNetwork(loop, { latencyMs: 5 }));
 */
export class MemoryNetwork implements Network {
  readonly #loop: IOLoop;
  readonly #options: MemoryPairOptions;
  /** By port, or by path. */
  readonly #listeners = new Map<number | string, MemoryListener>();
  #nextPort = 49_152;

  constructor(loop: IOLoop, options: MemoryPairOptions = {}) {
    this.#loop = loop;
    this.#options = options;
  }

  async listen(options: ListenOptions, onConnection: (transport: Transport) => void): Promise<Listener> {
    const { port, address, family } = options;
    const unix = family === "unix";
    const key = unix ? address : port === 0 ? this.#freePort() : port;
    if (this.#listeners.has(key)) throw refusal("EADDRINUSE", "listen", options);
    const [at, on] = unix ? [address, 0] : [HERE, key as number];
    const listener = new MemoryListener(this.#loop, at, on, onConnection, () => this.#listeners.delete(key));
    this.#listeners.set(key, listener);
    return listener;
  }

  async connect(target: ConnectOptions): Promise<Transport> {
    const { address, port, family, localPort = 0, signal } = target;
    signal?.throwIfAborted();
    const unix = family === "unix";
    const listener = this.#listeners.get(unix ? address : port);
    if (listener === undefined) throw refusal("ECONNREFUSED", "connect", target);
    const client = unix ? {} : { address: HERE, port: localPort || this.#freePort() };
    const options = { ...this.#options, info: ends(client, unix ? {} : listener) };
    const ours = new MemoryTransport(this.#loop, options);
    // The other end is the server's: it runs in a context made from that of whoever listens.
    listener.connected(listener.runInAsyncScope(() => new MemoryTransport(this.#loop, options, ours)));
    return ours;
  }

  async resolve(host: string, family: 0 | 4 | 6): Promise<readonly ResolvedAddress[]> {
    const address = literal(host) ?? { address: HERE, family: 4 };
    return family === 0 || address.family === family ? [address] : [];
  }

  #freePort(): number {
    while (this.#listeners.has(this.#nextPort)) this.#nextPort++;
    return this.#nextPort++;
  }
}

class MemoryListener extends AsyncResource implements Listener {
  readonly address: string;
  readonly port: number;
  readonly #loop: IOLoop;
  readonly #onConnection: (transport: Transport) => void;
  readonly #forget: () => void;
  readonly #waiting: MemoryTransport[] = [];
  #state: "open" | "paused" | "closed" = "open";

  constructor(
    loop: IOLoop,
    address: string,
    port: number,
    onConnection: (transport: Transport) => void,
    forget: () => void,
  ) {
    super("TWListener", { requireManualDestroy: true });
    this.#loop = loop;
    this.address = address;
    this.port = port;
    this.#onConnection = onConnection;
    this.#forget = forget;
  }

  connected(transport: MemoryTransport): void {
    this.#waiting.push(transport);
    this.#loop.addCallback(() => this.#deliver());
  }

  #deliver(): void {
    while (this.#state === "open" && this.#waiting.length > 0) {
      deliver(this.#loop, this.#waiting.shift() as MemoryTransport, this.#onConnection);
    }
  }

  pause(): void {
    if (this.#state === "open") this.#state = "paused";
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "open";
    this.#loop.addCallback(() => this.#deliver());
  }

  async acceptWaiting(): Promise<void> {
    this.#deliver();
  }

  async close(): Promise<void> {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#forget();
    for (const transport of this.#waiting.splice(0)) transport.abort();
  }
}

interface End {
  readonly address?: string;
  readonly port?: number;
}

function ends(client: End, server: End): NonNullable<MemoryPairOptions["info"]> {
  const info = (local: End, remote: End) => ({
    localAddress: local.address ?? "",
    localPort: local.port ?? 0,
    remoteAddress: remote.address ?? "",
    remotePort: remote.port ?? 0,
  });
  return [info(client, server), info(server, client)];
}

function refusal(
  code: string,
  syscall: string,
  { address, port, family }: ListenOptions | ConnectOptions,
): Error {
  const where = family === "unix" ? { address } : { address, port };
  return Object.assign(new Error(`${syscall} ${code} ${Object.values(where).join(":")}`), {
    code,
    syscall,
    ...where,
  });
}
