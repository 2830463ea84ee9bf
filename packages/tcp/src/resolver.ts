// Names to places to connect to (Tornado's Resolver). A resolver belongs to the client it is given to: nothing is
// configured for the whole process.

import { IOLoop } from "@tw/ioloop";
import { checkOptions } from "@tw/util";
import { checkFamily, checkHost, checkPort, checkUnixPath, literal } from "./addresses.js";
import { type AddressFamily, networkOf } from "./network.js";

/** Where to connect to. */
export interface Endpoint {
  /** Numeric, or the path of a Unix socket. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  readonly family: AddressFamily;
}

/**
 * Finds the endpoints of a host, in the order to try them; none where it has none of that family. `family` 0 is
 * either. A resolver that is still asking when the answer is not wanted any more is not told: its answer is dropped.
 *
 * @example
 * const resolver: Resolver = {
 *   async resolve(host, port) {
 *     return [{ address: await registry.find(host), port, family: 4 }];
 *   },
 * };
 */
export interface Resolver {
  resolve(host: string, port: number, family: 0 | 4 | 6): Promise<readonly Endpoint[]>;
}

/** Throws unless `resolver` can be asked. @throws TypeError */
export function checkResolver(resolver: Resolver): void {
  if (typeof resolver?.resolve !== "function") throw new TypeError("resolver must have a method resolve()");
}

/**
 * The endpoints among `found` that may be tried where `family` was asked for.
 *
 * @throws TypeError, RangeError when one of them is none: the engines would each make something else of it
 */
export function usable(host: string, found: readonly Endpoint[], family: 0 | 4 | 6): readonly Endpoint[] {
  if (!Array.isArray(found))
    throw new TypeError(
      `The resolver must answer with a list of endpoints, got ${typeof found} for ${quote(host)}`,
    );
  for (const endpoint of found) checkEndpoint(host, endpoint);
  return found.filter((endpoint) => family === 0 || endpoint.family === family || endpoint.family === "unix");
}

function checkEndpoint(host: string, endpoint: Endpoint | undefined): void {
  const { address, family, port } = endpoint ?? {};
  if (family === "unix") return checkUnixPath(address);
  if (typeof address !== "string" || literal(address)?.family !== family) {
    const what = family === 4 || family === 6 ? `IPv${family}` : `family ${String(family)}`;
    throw new TypeError(`The resolver answered ${quote(address)} for ${quote(host)}: no address of ${what}`);
  }
  checkPort(`The port of ${quote(host)} from the resolver`, port, 1);
}

function quote(text: unknown): string {
  return JSON.stringify(text) ?? String(text);
}

/** Asks the network of a loop: the system's resolver (`getaddrinfo`, in a thread) unless it is a simulated one. */
export class DefaultResolver implements Resolver {
  readonly #loop: IOLoop | undefined;

  /** Without a loop it is that of whoever resolves. */
  constructor(loop?: IOLoop) {
    this.#loop = loop;
  }

  async resolve(host: string, port: number, family: 0 | 4 | 6): Promise<readonly Endpoint[]> {
    const found = await networkOf(this.#loop ?? IOLoop.current()).resolve(host, family);
    return found.map(({ address, family }) => ({ address, family, port }));
  }
}

/** What {@link OverrideResolver} maps to: another host, another host and port, or `unix:` and a path. */
export type Override = string | readonly [host: string, port: number];

const UNIX = "unix:";

/**
 * Answers some hosts otherwise (Tornado's `OverrideResolver`), for tests, tunnels and Unix sockets. Keys are
 * `host:port:family`, `host:port` or `host`, and are looked up in this order; an IPv6 address is written in brackets
 * where a port follows. What it maps to is resolved by `resolver`.
 *
 * @example
 * new OverrideResolver(new DefaultResolver(), {
 *   "api.example.com": "127.0.0.1",
 *   "api.example.com:443": ["127.0.0.1", 8443],
 *   "db.example.com": "unix:/run/db.sock",
 * });
 */
export class OverrideResolver implements Resolver {
  readonly #resolver: Resolver;
  readonly #mapping: ReadonlyMap<string, Override>;

  /**
   * @throws TypeError, RangeError for keys, hosts, ports and paths that `connect` and `connectUnix` would not take; TypeError
   *   for a mapping that is none, or a resolver without `resolve`
   */
  constructor(
    resolver: Resolver,
    mapping: Readonly<Record<string, Override>> | ReadonlyMap<string, Override>,
  ) {
    checkResolver(resolver);
    checkOptions("mapping", mapping);
    this.#resolver = resolver;
    this.#mapping = new Map(mapping instanceof Map ? mapping : Object.entries(mapping));
    for (const [key, value] of this.#mapping) {
      checkKey(key);
      checkOverride(key, value);
    }
  }

  async resolve(host: string, port: number, family: 0 | 4 | 6): Promise<readonly Endpoint[]> {
    const bracketed = literal(host)?.family === 6 ? `[${host}]` : host;
    const mapping = this.#mapping;
    const found =
      mapping.get(`${bracketed}:${port}:${family}`) ??
      mapping.get(`${bracketed}:${port}`) ??
      mapping.get(host);
    if (found === undefined) return await this.#resolver.resolve(host, port, family);
    if (typeof found !== "string") return await this.#resolver.resolve(found[0], found[1], family);
    if (found.startsWith(UNIX)) return [{ address: found.slice(UNIX.length), port: 0, family: "unix" }];
    return await this.#resolver.resolve(found, port, family);
  }
}

/** `host:port`, where a family may follow. No IPv6 address without brackets is one. */
const KEY_WITH_PORT = /^(\[.*\]|[^:]*):(\d+)(?::(\d+))?$/;

/** Throws for what nobody can ask for: it would be an override that never works. */
function checkKey(key: string): void {
  const name = `The key ${quote(key)} of the overrides`;
  const [, host = key, port, family] = KEY_WITH_PORT.exec(key) ?? [];
  checkHost(name, host);
  if (port !== undefined) checkPort(`The port in ${name}`, Number(port), 1);
  if (family !== undefined) checkFamily(Number(family));
}

function checkOverride(key: string, value: unknown): void {
  const name = `The override of ${quote(key)}`;
  if (typeof value === "string") {
    if (value.startsWith(UNIX)) checkUnixPath(value.slice(UNIX.length));
    else checkHost(name, value);
    return;
  }
  if (!Array.isArray(value) || value.length !== 2)
    throw new TypeError(`${name} must be a host, [host, port] or "unix:/path"`);
  checkHost(`The host in the override of ${quote(key)}`, value[0]);
  checkPort(`The port in the override of ${quote(key)}`, value[1], 1);
}
