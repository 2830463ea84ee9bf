// Both ends of a native connection. The peer is known from accept; our own side is looked up when asked for.

import { type Host, hostText, type Poller, type SocketAddress } from "@tw/poller";
import type { TransportInfo } from "../../transport.js";

/** {@link TransportInfo} of a descriptor. */
export class NativeInfo implements TransportInfo {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #poller: Poller;
  readonly #fd: number;
  #local: SocketAddress | undefined;

  constructor(poller: Poller, fd: number, remoteHost: Host, remotePort: number) {
    this.#poller = poller;
    this.#fd = fd;
    this.remoteAddress = hostText(remoteHost);
    this.remotePort = remotePort;
  }

  get engine(): "native" {
    return "native";
  }

  get encrypted(): boolean {
    return false;
  }

  get localAddress(): string {
    return this.#lookUpLocal().address;
  }

  get localPort(): number {
    return this.#lookUpLocal().port;
  }

  /** The descriptor is about to be closed: its number may name another connection's from now on. */
  close(): void {
    this.#local ??= NOWHERE;
  }

  #lookUpLocal(): SocketAddress {
    if (this.#local === undefined) {
      const found = this.#poller.getsockname(this.#fd);
      this.#local = typeof found === "number" ? NOWHERE : found;
    }
    return this.#local;
  }
}

const NOWHERE: SocketAddress = { address: "", port: 0, family: 0 };
