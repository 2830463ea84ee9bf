// A network without a network: listeners and connections are pairs of memory buffers on one loop.

import type { IOLoop } from "@tw/ioloop";
import type { Transport } from "@tw/iostream";
import { type MemoryPairOptions, memoryPair } from "@tw/iostream/transports";
import type { ConnectOptions, Listener, ListenOptions, Network, ResolvedAddress } from "./network.js";

/**
 * A {@link Network} in memory. Every host name is 127.0.0.1; ports are its own.
 *
 * @example
 * const loop = virtualLoop();
 * useNetwork(loop, new MemoryNetwork(loop, { latencyMs: 5 }));
 */
export class MemoryNetwork implements Network {
  readonly #loop: IOLoop;
  readonly #options: MemoryPairOptions;
  readonly #listeners = new Map<number, (transport: Transport) => void>();
  #nextPort = 49_152;

  constructor(loop: IOLoop, options: MemoryPairOptions = {}) {
    this.#loop = loop;
    this.#options = options;
  }

  async listen(options: ListenOptions, onConnection: (transport: Transport) => void): Promise<Listener> {
    const port = options.port === 0 ? this.#nextPort++ : options.port;
    if (this.#listeners.has(port)) throw refusal("EADDRINUSE", "listen", port);
    this.#listeners.set(port, onConnection);
    return {
      address: "127.0.0.1",
      port,
      close: async () => {
        if (this.#listeners.get(port) === onConnection) this.#listeners.delete(port);
      },
    };
  }

  async connect({ port, signal }: ConnectOptions): Promise<Transport> {
    signal?.throwIfAborted();
    const onConnection = this.#listeners.get(port);
    if (onConnection === undefined) throw refusal("ECONNREFUSED", "connect", port);
    const [ours, theirs] = memoryPair(this.#loop, this.#options);
    this.#loop.addCallback(() => onConnection(theirs));
    return ours;
  }

  async resolve(): Promise<readonly ResolvedAddress[]> {
    return [{ address: "127.0.0.1", family: 4 }];
  }
}

function refusal(code: string, syscall: string, port: number): Error {
  return Object.assign(new Error(`${syscall} ${code} 127.0.0.1:${port}`), { code, syscall, port });
}
