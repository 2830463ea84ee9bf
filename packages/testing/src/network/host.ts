// A machine of a simulated network: addresses, sockets, and the loop of the programs that run on it.

import { IOLoop, type LoopHost } from "@tw/ioloop";
import type { Transport } from "@tw/iostream";
import {
  type ConnectOptions,
  type Listener,
  type ListenOptions,
  type Network,
  type ResolvedAddress,
  useNetwork,
} from "@tw/tcp";
import { systemError } from "./errors.js";
import { SimulatedListener } from "./listener.js";
import { addressOf, isOf } from "./names.js";
import { Ports } from "./ports.js";

/** The loopback addresses, which each host has for itself. */
const LOOPBACK = { 4: "127.0.0.1", 6: "::1" } as const;

/** What a host needs of its network. */
export interface HostHome {
  readonly loop: IOLoop;
  readonly clock: LoopHost | undefined;
  open(from: SimulatedHost, options: ConnectOptions): Promise<Transport>;
  ask(from: SimulatedHost, host: string, family: 0 | 4 | 6): Promise<readonly ResolvedAddress[]>;
}

/** A host. It is a {@link Network}: what it connects comes from its address, what listens does so on it. */
export class SimulatedHost implements Network {
  readonly name: string;
  readonly addresses: readonly ResolvedAddress[];
  readonly ports: Ports = new Ports();
  readonly #network: HostHome;
  readonly #dropped = new Set<number>();
  #loop: IOLoop | undefined;

  /** @internal Use `SimulatedNetwork.host`. */
  constructor(network: HostHome, name: string, addresses: readonly string[]) {
    this.#network = network;
    this.name = name;
    this.addresses = addresses.map(addressOf);
  }

  /**
   * The loop of the programs on this host, on the clock of the network: give it to servers and clients as their `loop`,
   * and they listen and connect here.
   *
   * @throws TypeError when the network was not given its clock
   */
  get loop(): IOLoop {
    if (this.#loop === undefined) {
      const { clock, loop } = this.#network;
      if (clock === undefined)
        throw new TypeError("A loop for each host needs the option `clock`, a LoopHost");
      this.#loop = new IOLoop({ host: clock, logger: loop.logger });
      useNetwork(this.#loop, this);
    }
    return this.#loop;
  }

  /** @internal The loop that the ends of connections run on. */
  get ownLoop(): IOLoop {
    return this.#loop ?? this.#network.loop;
  }

  /** A fault, as a firewall makes it: connecting to `port` is answered with silence, until it is taken back. */
  drop(port: number): () => void {
    this.#dropped.add(port);
    return () => this.#dropped.delete(port);
  }

  /** @internal */
  drops(port: number): boolean {
    return this.#dropped.has(port);
  }

  /** @internal Whether packets to this address end here, when they are sent here. */
  owns(address: string): boolean {
    return (
      address === "::1" || address.startsWith("127.") || this.addresses.some((own) => own.address === address)
    );
  }

  /** @internal Our address as seen by `address`. */
  addressTowards(address: string, family: 4 | 6): string | undefined {
    if (address === "::1" || address.startsWith("127.")) return LOOPBACK[family];
    return this.addresses.find((own) => own.family === family)?.address;
  }

  async listen(options: ListenOptions, onConnection: (transport: Transport) => void): Promise<Listener> {
    const { family, address, fd } = options;
    if (fd !== undefined) throw systemError("ENOTSUP", "listen", options);
    const any = address === "0.0.0.0" || address === "::";
    if (family !== "unix" && !any && !this.owns(address))
      throw systemError("EADDRNOTAVAIL", "listen", options);
    const port = family === "unix" ? 0 : options.port === 0 ? this.ports.free(family) : options.port;
    const named = { ...options, port };
    this.ports.check(named);
    const forget = (listener: SimulatedListener): void => this.ports.remove(listener, family);
    const listener = new SimulatedListener(this.ownLoop, named, onConnection, forget);
    this.ports.add(listener, family);
    return listener;
  }

  connect(options: ConnectOptions): Promise<Transport> {
    return this.#network.open(this, options);
  }

  resolve(host: string, family: 0 | 4 | 6): Promise<readonly ResolvedAddress[]> {
    return this.#network.ask(this, host, family);
  }

  /** @internal What to listen on for every address. */
  everywhere(family: 0 | 4 | 6): ResolvedAddress[] {
    return [addressOf("0.0.0.0"), addressOf("::")].filter(isOf(family));
  }
}
