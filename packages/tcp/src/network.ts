// What TCPServer and TCPClient ask of the world: listening, connecting, resolving. The real network and the memory
// one stand behind the same interface and are found through the loop, which is how an unchanged application runs
// without a network. The contract, which networkConformance (testing.ts) examines line by line:
//
//  1. `listen` binds one address and accepts until the listener is closed. No connection is delivered before the turn
//     after its promise resolved. A taken address rejects with `EADDRINUSE`; port 0 is any free port.
//  2. After `pause()` returns no connection is delivered until `resume()`; connecting goes on working, and who
//     connected meanwhile is delivered then, in order. Both are levels and may be repeated.
//  3. After `close()` returns no connection is delivered and connecting rejects with `ECONNREFUSED`. What was
//     delivered lives on. Idempotent. `acceptWaiting` before it delivers who has connected by then.
//  4. `onConnection` runs in an async context of that connection's own, made from the context of whoever listened.
//     When it throws, that is logged, its transport is aborted, and the listener goes on.
//  5. `connect` tries one address. It rejects with an error that has `code` as Node names it (`ECONNREFUSED`), or with
//     `signal.reason`, and then nothing is left open. Once it has resolved the signal has no effect any more.
//  6. Both ends know each other: `info.remotePort` of one is `info.localPort` of the other, addresses likewise.
//  7. `resolve` answers a numeric host with itself, and with nothing where it is of the wrong family; a name that does
//     not exist rejects with `ENOTFOUND`. `""` stands for all addresses of this machine: those to listen on.
//  8. TLS is none of its business: that is a layer over any transport.

import type { IOLoop } from "@tw/ioloop";
import type { Transport } from "@tw/iostream";
import { realNetwork } from "./real-network.js";

/** Where connections come from and go to. */
export interface Network {
  /** Accepts connections until the listener is closed. Rejects with a SystemError such as `EADDRINUSE`. */
  listen(options: ListenOptions, onConnection: (transport: Transport) => void): Promise<Listener>;
  /** Connects to one address. Rejects with a SystemError such as `ECONNREFUSED`, or with `signal.reason`. */
  connect(options: ConnectOptions): Promise<Transport>;
  /** Numeric addresses of a host, in the order to try them; of `""` those to listen on. */
  resolve(host: string, family: 0 | 4 | 6): Promise<readonly ResolvedAddress[]>;
}

/** Which engine carries the bytes; `chooseEngine` of `@tw/iostream/transports` finds the default. */
export type EngineChoice = "native" | "node" | undefined;

/** What an address is: numeric IPv4 or IPv6, or the path of a Unix socket (with a leading NUL an abstract one). */
export type AddressFamily = 4 | 6 | "unix";

/** Options of {@link Network.listen}. */
export interface ListenOptions {
  /** One numeric address, or a path. */
  readonly address: string;
  /** 0 is any free port; a path has none. */
  readonly port: number;
  readonly family: AddressFamily;
  /** Connections that the kernel keeps waiting. */
  readonly backlog: number;
  readonly engine: EngineChoice;
  /** Lets other sockets that say so too listen on the same port; the kernel spreads connections over them. */
  readonly reusePort?: boolean;
  /** In a worker of node:cluster, on the node engine: whether to listen on the socket that all workers share. Left out: unless it is a child of `forkProcesses`. */
  readonly shared?: boolean;
  /** Permission bits of a Unix socket's file. */
  readonly mode?: number;
  /** A listening descriptor that somebody gave us, in place of binding: address, port and family are then its own. */
  readonly fd?: number;
}

/** Options of {@link Network.connect}. */
export interface ConnectOptions {
  readonly address: string;
  readonly port: number;
  readonly family: AddressFamily;
  readonly engine: EngineChoice;
  /** Our own numeric address, of the same family. */
  readonly localAddress?: string;
  /** Our own port. */
  readonly localPort?: number;
  readonly signal?: AbortSignal | undefined;
}

/** One address of a host. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: AddressFamily;
}

/** A listening socket. */
export interface Listener {
  /** Numeric, or the path of a Unix socket. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** Its descriptor, to be handed to a child process; where the engine knows none, there is none. */
  readonly fd?: number;
  /** Leaves connections where they wait: in the kernel, or where the engine cannot, paused in a queue of `backlog`. */
  pause(): void;
  /** Goes on accepting; also called when a connection has closed, as there may be descriptors again. */
  resume(): void;
  /** Delivers what waits in the queue by now, and resolves: for whoever closes then, and would reset it. */
  acceptWaiting?(): Promise<void>;
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
