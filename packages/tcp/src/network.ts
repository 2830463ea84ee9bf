// What TCPServer and TCPClient ask of the world: listening, connecting, resolving. The real network and the memory
// one stand behind the same interface and are found through the loop, which is how an unchanged application runs
// without a network.

import type { IOLoop } from "@tw/ioloop";
import type { Transport } from "@tw/iostream";
import { realNetwork } from "./real-network.js";

/** Where connections come from and go to. */
export interface Network {
  /** Accepts connections until the listener is closed. Rejects with a SystemError such as `EADDRINUSE`. */
  listen(options: ListenOptions, onConnection: (transport: Transport) => void): Promise<Listener>;
  /** Connects to one address. Rejects with a SystemError such as `ECONNREFUSED`, or with `signal.reason`. */
  connect(options: ConnectOptions): Promise<Transport>;
  /** Numeric addresses of a host, in the order to try them. */
  resolve(host: string, family: 0 | 4 | 6): Promise<readonly ResolvedAddress[]>;
}

/** Which engine carries the bytes; see {@link Engine} in engine.ts for how the default is found. */
export type EngineChoice = "native" | "node" | undefined;

/** Options of {@link Network.listen}. */
export interface ListenOptions {
  readonly port: number;
  /** Numeric address or host name; `""` is every address of both families where there are two. */
  readonly address: string;
  /** Connections that the kernel keeps waiting. */
  readonly backlog: number;
  readonly engine: EngineChoice;
}

/** Options of {@link Network.connect}. */
export interface ConnectOptions {
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
  readonly engine: EngineChoice;
  readonly signal?: AbortSignal;
}

/** One address of a host. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** A listening socket. */
export interface Listener {
  readonly address: string;
  readonly port: number;
  /** Stops accepting; established connections live on. Idempotent. */
  close(): Promise<void>;
}

const networks = new WeakMap<IOLoop, Network>();

/** The network of a loop: the real one unless {@link useNetwork} put another in its place. */
export function networkOf(loop: IOLoop): Network {
  let network = networks.get(loop);
  if (network === undefined) {
    network = realNetwork(loop);
    networks.set(loop, network);
  }
  return network;
}

/** Makes every server and client of `loop` that is started from now on use `network`. */
export function useNetwork(loop: IOLoop, network: Network): void {
  networks.set(loop, network);
}
