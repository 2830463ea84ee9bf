// Who listens where on one host: addresses and ports, any address, paths, and ports that several share.

import type { AddressFamily, ListenOptions } from "@tw/tcp";
import { systemError } from "./errors.js";
import type { SimulatedListener } from "./listener.js";

/** The first port that is given out, as on Linux, and how many there are. */
const FIRST_PORT = 32_768;
const PORTS = 28_232;

const ANY: Readonly<Record<4 | 6, string>> = { 4: "0.0.0.0", 6: "::" };

/** The sockets of one host. */
export class Ports {
  readonly #listeners = new Map<string, SimulatedListener[]>();
  #next = 0;
  #turn = 0;

  /** A port that nobody listens on: each one different from the last. @throws Error `EADDRINUSE` when there is none */
  free(family: AddressFamily): number {
    for (let tried = 0; tried < PORTS; tried++) {
      const port = FIRST_PORT + (this.#next++ % PORTS);
      if (![...this.#listeners.keys()].some((key) => key.endsWith(`]:${port}`))) return port;
    }
    throw systemError("EADDRINUSE", "listen", { address: "", port: 0, family });
  }

  /** @throws Error `EADDRINUSE` when somebody listens there, and not both share the port */
  check(options: ListenOptions): void {
    const { address, port, family, reusePort } = options;
    const places = family === "unix" ? [address] : this.#overlapping(address, port, family);
    const others = places.flatMap((place) => this.#listeners.get(keyOf(place, port, family)) ?? []);
    if (others.some((other) => !(other.reusePort && reusePort === true))) {
      throw systemError("EADDRINUSE", "listen", options);
    }
  }

  add(listener: SimulatedListener, family: AddressFamily): void {
    const key = keyOf(listener.address, listener.port, family);
    this.#listeners.set(key, [...(this.#listeners.get(key) ?? []), listener]);
  }

  remove(listener: SimulatedListener, family: AddressFamily): void {
    const key = keyOf(listener.address, listener.port, family);
    const left = (this.#listeners.get(key) ?? []).filter((other) => other !== listener);
    if (left.length === 0) this.#listeners.delete(key);
    else this.#listeners.set(key, left);
  }

  /** Who is to get the next connection; those who share a port take turns. */
  find(address: string, port: number, family: AddressFamily): SimulatedListener | undefined {
    const exact = this.#listeners.get(keyOf(address, port, family));
    const found =
      exact ?? (family === "unix" ? undefined : this.#listeners.get(keyOf(ANY[family], port, family)));
    return found?.[found.length === 1 ? 0 : this.#turn++ % found.length];
  }

  #overlapping(address: string, port: number, family: 4 | 6): string[] {
    if (address !== ANY[family]) return [address, ANY[family]];
    const suffix = `]:${port}`;
    return [...this.#listeners.keys()]
      .filter((key) => key.startsWith(`${family}[`) && key.endsWith(suffix))
      .map((key) => key.slice(2, -suffix.length));
  }
}

function keyOf(address: string, port: number, family: AddressFamily): string {
  return family === "unix" ? `unix ${address}` : `${family}[${address}]:${port}`;
}
