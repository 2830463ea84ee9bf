// A connection between two hosts, as the network sees it: what tests break, hold and look at.

import type { IOLoop } from "@tw/ioloop";
import type { TransportInfo } from "@tw/iostream";
import { endOver, type Link } from "./link.js";
import type { Random } from "./random.js";
import { type EndObserver, SimulatedTransport } from "./transport.js";

/** One end, as it is called from afar. `""` and 0 on Unix sockets. */
export interface EndName {
  readonly address: string;
  readonly port: number;
}

/** What a connection needs of a host. */
export interface ConnectionHost {
  readonly name: string;
  /** The loop that its ends of connections run on. */
  readonly ownLoop: IOLoop;
}

/** What a connection needs of its network. */
export interface ConnectionHome {
  readonly loop: IOLoop;
  note(from: string, to: string, what: string, bytes?: Uint8Array): void;
  closed(connection: SimulatedConnection): unknown;
}

/** A connection that was made, until both its ends are closed. */
export class SimulatedConnection {
  readonly from: ConnectionHost;
  readonly to: ConnectionHost;
  readonly client: EndName;
  readonly server: EndName;
  readonly #home: ConnectionHome;
  readonly #link: Link;
  readonly #random: Random;
  readonly #near: SimulatedTransport;
  #far: SimulatedTransport | undefined;
  #open = 2;

  /** Makes the client's end, in the context of whoever connects. */
  constructor(
    home: ConnectionHome,
    hosts: readonly [from: ConnectionHost, to: ConnectionHost],
    names: readonly [client: EndName, server: EndName],
    link: Link,
    random: Random,
  ) {
    [this.from, this.to] = hosts;
    [this.client, this.server] = names;
    this.#home = home;
    this.#link = link;
    this.#random = random;
    this.#near = new SimulatedTransport(
      this.from.ownLoop,
      this.#options(0),
      this.#observe(this.client, this.server),
    );
  }

  /** The end of whoever connected. */
  get near(): SimulatedTransport {
    return this.#near;
  }

  /** The end of whoever listens, made on first use in the context of that moment. */
  get far(): SimulatedTransport {
    this.#far ??= new SimulatedTransport(
      this.to.ownLoop,
      this.#options(1),
      this.#observe(this.server, this.client),
      this.#near,
    );
    return this.#far;
  }

  /** Nobody takes the far end: its listener was closed. */
  refuse(): void {
    this.far.abort();
    this.#gone();
  }

  /** A fault: both ends see `ECONNRESET` now, what is on its way is lost. */
  reset(): void {
    this.#home.note(label(this.client), label(this.server), "reset by the network");
    this.#far?.reset();
  }

  /** A fault: nothing arrives at either end until {@link letGo}; nothing is lost. */
  hold(): void {
    this.#far?.hold();
  }

  letGo(): void {
    this.#far?.letGo();
  }

  #options(
    end: 0 | 1,
  ): ReturnType<typeof endOver> & { info: [Partial<TransportInfo>, Partial<TransportInfo>] } {
    const info = (own: EndName, other: EndName): Partial<TransportInfo> => ({
      localAddress: own.address,
      localPort: own.port,
      remoteAddress: other.address,
      remotePort: other.port,
    });
    return {
      ...endOver(this.#link, this.#random.fork(end + 1), () => this.#home.loop.time()),
      info: [info(this.client, this.server), info(this.server, this.client)],
    };
  }

  #observe(own: EndName, other: EndName): EndObserver {
    const [here, there] = [label(own), label(other)];
    return {
      wrote: () => {
        // Never during the call that wrote.
        if (this.#random.chance(this.#link.resetChance)) this.#home.loop.addCallback(() => this.reset());
      },
      received: (view) => this.#home.note(there, here, `${view.length} bytes`, view),
      ended: () => this.#home.note(there, here, "end"),
      closed: (error) => {
        const code = (error as { code?: unknown } | undefined)?.code;
        this.#home.note(here, there, error === undefined ? "closed" : `closed by ${String(code ?? error)}`);
        this.#gone();
      },
    };
  }

  #gone(): void {
    if (--this.#open === 0) this.#home.closed(this);
  }
}

/** `10.0.0.1:32768`. */
export function label({ address, port }: EndName): string {
  return `${address}:${port}`;
}
