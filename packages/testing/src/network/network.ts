// A network without a network: hosts, the ways between them, and all that may go wrong there, in the time of a loop and
// by dice that fall the same way for the same seed.

import type { IOLoop, LoopHost } from "@tw/ioloop";
import type { Transport } from "@tw/iostream";
import {
  type ConnectOptions,
  isValidIp,
  type Listener,
  type ListenOptions,
  type Network,
  type ResolvedAddress,
} from "@tw/tcp";
import {
  type ConnectionHome,
  type ConnectionHost,
  type EndName,
  label,
  SimulatedConnection,
} from "./connection.js";
import { nameError, systemError } from "./errors.js";
import { type Route, shakeHands } from "./handshake.js";
import { SimulatedHost } from "./host.js";
import { checkLink, type Link, type LinkOptions, latencyOf, PERFECT } from "./link.js";
import { addressOf, isOf, Names } from "./names.js";
import { Random } from "./random.js";

/** Options of a {@link SimulatedNetwork}; those of a link hold for all ways that {@link SimulatedNetwork.link} says nothing of. */
export interface SimulatedNetworkOptions extends LinkOptions {
  /** Decides all dice. @default 1 */
  readonly seed?: number;
  /** The clock under the loop, from which hosts make loops of their own. @default none: all hosts share the loop */
  readonly clock?: LoopHost;
  /** Whether {@link SimulatedNetwork.trace} is written. @default false */
  readonly trace?: boolean;
}

/**
 * A {@link Network} of hosts in memory, for a loop in virtual time.
 *
 * It is itself the network of a first host, `localhost`, which is all that a test of one server and its client needs.
 * Further hosts have a name, addresses and, given the `clock`, loops of their own, so that servers and clients run on
 * hosts by being given a loop. Unchanged applications find it through their loop (`useNetwork`, or {@link simulate}).
 *
 * @throws RangeError when an option is out of its range
 * @example
 * const { loop, host } = virtualLoop();
 * const network = new SimulatedNetwork(loop, { seed: 7, latencyMs: [5, 50], pieces: "random" });
 * useNetwork(loop, network);
 */
export class SimulatedNetwork implements Network {
  readonly loop: IOLoop;
  readonly clock: LoopHost | undefined;
  /** What the resolver knows, and its faults. */
  readonly names: Names = new Names();
  /** The host that has no name of its own in a test: who connects through the network itself comes from it. */
  readonly localhost: SimulatedHost;
  /** What has happened, a line each, where the option `trace` asks for it: equal for equal seeds. */
  readonly trace: readonly string[];
  readonly #trace: string[] | undefined;
  readonly #random: Random;
  readonly #default: Link;
  readonly #hosts = new Map<string, SimulatedHost>();
  readonly #links = new Map<string, Link>();
  readonly #connections = new Set<SimulatedConnection>();
  readonly #home: ConnectionHome;
  #cuts: readonly ((a: ConnectionHost, b: ConnectionHost) => boolean)[] = [];
  #made = 0;

  constructor(loop: IOLoop, options: SimulatedNetworkOptions = {}) {
    const { seed = 1, clock, trace = false, ...link } = options;
    checkLink(link);
    this.loop = loop;
    this.clock = clock;
    this.trace = [];
    this.#trace = trace ? (this.trace as string[]) : undefined;
    this.#random = new Random(seed);
    this.#home = {
      loop,
      note: (from, to, what, bytes) => this.#note(from, to, what, bytes),
      closed: (connection) => this.#connections.delete(connection),
    };
    this.#default = { ...PERFECT, ...link };
    this.localhost = new SimulatedHost(this, "localhost", ["10.0.0.1", "fd00::1"]);
    this.#hosts.set("localhost", this.localhost);
  }

  /** The host of that name, made where there is none; without addresses it gets one of each family. @throws RangeError on an address that is none, or taken */
  host(name: string, ...addresses: readonly string[]): SimulatedHost {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const number = this.#hosts.size + 1;
    const own =
      addresses.length > 0
        ? addresses
        : [`10.0.${number >> 8}.${number & 255}`, `fd00::${number.toString(16)}`];
    for (const address of own) {
      if (!isValidIp(address)) throw new RangeError(`Not an address: ${address}`);
      if (this.#ownerOf(address) !== undefined)
        throw new RangeError(`Another host has the address ${address}`);
    }
    const host = new SimulatedHost(this, name, own);
    this.#hosts.set(name, host);
    this.names.set(name, ...own);
    return host;
  }

  /** Connections that are open at one end at least, in the order in which they were made. */
  get connections(): readonly SimulatedConnection[] {
    return [...this.#connections];
  }

  /** Says how the way between two hosts behaves, in both directions, from now on. What is not said stays. @throws RangeError when an option is out of its range */
  link(a: SimulatedHost, b: SimulatedHost, options: LinkOptions): void {
    checkLink(options);
    Object.assign(this.#linkOf(a, b), options);
  }

  /**
   * Cuts `host` off from `others`, or from all: nothing arrives, and nobody is told. Connections live on, and what was
   * sent arrives once the function that is returned has been called. A host always reaches itself.
   */
  partition(host: SimulatedHost, ...others: readonly SimulatedHost[]): () => void {
    const far = (other: ConnectionHost): boolean =>
      other !== host && (others.length === 0 || others.some((each) => each === other));
    const cut = (a: ConnectionHost, b: ConnectionHost): boolean =>
      (a === host && far(b)) || (b === host && far(a));
    this.#cuts = [...this.#cuts, cut];
    for (const connection of this.#connections) if (cut(connection.from, connection.to)) connection.hold();
    return () => {
      this.#cuts = this.#cuts.filter((other) => other !== cut);
      for (const connection of this.#connections) {
        if (!this.#isCut(connection.from, connection.to)) connection.letGo();
      }
    };
  }

  listen(options: ListenOptions, onConnection: (transport: Transport) => void): Promise<Listener> {
    // Whose address it is, listens: a server on another host needs no loop of its own.
    const host = options.family === "unix" ? undefined : this.#ownerOf(options.address);
    return (host ?? this.localhost).listen(options, onConnection);
  }

  connect(options: ConnectOptions): Promise<Transport> {
    const from = options.localAddress === undefined ? undefined : this.#ownerOf(options.localAddress);
    return (from ?? this.localhost).connect(options);
  }

  resolve(host: string, family: 0 | 4 | 6): Promise<readonly ResolvedAddress[]> {
    return this.localhost.resolve(host, family);
  }

  /** @internal Connects from a host. */
  async open(from: SimulatedHost, options: ConnectOptions): Promise<Transport> {
    const { address, port, family, signal } = options;
    signal?.throwIfAborted();
    const to = family === "unix" || from.owns(address) ? from : this.#ownerOf(address);
    const client = this.#clientEnd(from, options);
    if (to === undefined) throw systemError("EHOSTUNREACH", "connect", options);
    const server: EndName = family === "unix" ? { address: "", port: 0 } : { address, port };
    const link = this.#linkOf(from, to);
    const random = this.#random.fork(++this.#made);
    const connection = new SimulatedConnection(
      this.#home,
      [from, to],
      [client, server],
      link,
      random.fork(0),
    );
    const [near, far] = [label(client), family === "unix" ? address : label(server)];
    const route: Route = {
      open: () => !this.#isCut(from, to),
      latency: () => latencyOf(link, random),
      listener: () => (to.drops(port) && family !== "unix" ? "drop" : to.ports.find(address, port, family)),
      made: () => this.#connections.add(connection),
      note: (what) => this.#note(near, far, what),
    };
    return await shakeHands(this.loop, connection, route, options);
  }

  /** @internal Asks the resolver from a host. */
  ask(from: SimulatedHost, host: string, family: 0 | 4 | 6): Promise<readonly ResolvedAddress[]> {
    if (host === "") return Promise.resolve(from.everywhere(family));
    if (isValidIp(host)) return Promise.resolve([addressOf(host)].filter(isOf(family)));
    const { afterMs, code, addresses } = this.names.ask(host, family);
    return new Promise((resolve, reject) => {
      this.loop.callLater(afterMs, () => {
        this.#note(
          from.name,
          "resolver",
          `${host} ${code ?? addresses.map(({ address }) => address).join(" ")}`,
        );
        if (code === undefined) resolve(addresses);
        else reject(nameError(code, host));
      });
    });
  }

  #clientEnd(from: SimulatedHost, options: ConnectOptions): EndName {
    const { address, family, localAddress, localPort = 0 } = options;
    if (family === "unix") return { address: "", port: 0 };
    const own = localAddress ?? from.addressTowards(address, family);
    if (own === undefined || !from.owns(own)) throw systemError("EADDRNOTAVAIL", "connect", options);
    return { address: own, port: localPort === 0 ? from.ports.free(family) : localPort };
  }

  #ownerOf(address: string): SimulatedHost | undefined {
    for (const host of this.#hosts.values()) {
      if (host.addresses.some((own) => own.address === address)) return host;
    }
    return undefined;
  }

  #linkOf(a: ConnectionHost, b: ConnectionHost): Link {
    const key = [a.name, b.name].sort().join(" ");
    let link = this.#links.get(key);
    if (link === undefined) {
      link = { ...this.#default };
      this.#links.set(key, link);
    }
    return link;
  }

  #isCut(a: ConnectionHost, b: ConnectionHost): boolean {
    return this.#cuts.some((cut) => cut(a, b));
  }

  #note(from: string, to: string, what: string, bytes?: Uint8Array): void {
    if (this.#trace === undefined) return;
    const hash = bytes === undefined ? "" : ` ${hashOf(bytes)}`;
    this.#trace.push(`${this.loop.time().toFixed(3)} ${from} > ${to} ${what}${hash}`);
  }
}

/** FNV-1a: enough to see that bytes differ. */
function hashOf(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
