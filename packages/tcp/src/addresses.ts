// Checks of hosts, addresses and ports, in one place because listening, connecting and resolving all take them.

import { isIP } from "node:net";
import { checkInteger } from "@tw/util";
import type { AddressFamily, ResolvedAddress } from "./network.js";

/**
 * Whether `ip` is a numeric IPv4 or IPv6 address (Tornado's `is_valid_ip`): no name, no blanks, no port, no short form
 * such as `127.1`. An IPv6 address may name its interface (`fe80::1%eth0`).
 *
 * @example
 * isValidIp("::1"); // true
 * isValidIp("localhost"); // false
 */
export function isValidIp(ip: string): boolean {
  return typeof ip === "string" && isIP(ip) !== 0;
}

/** Throws unless `port` is an integer from `min` to 65535. */
export function checkPort(name: string, port: unknown, min: 0 | 1): void {
  if (typeof port !== "number") throw new TypeError(`${name} must be a number, got ${typeof port}`);
  if (!Number.isInteger(port) || port < min || port > 65_535) {
    throw new RangeError(`${name} must be an integer from ${min} to 65535, got ${port}`);
  }
}

/** Throws unless `family` is 0 (either), 4 or 6. */
export function checkFamily(family: unknown): void {
  if (family !== 0 && family !== 4 && family !== 6) {
    throw new RangeError(`family must be 0, 4 or 6, got ${String(family)}`);
  }
}

/** Throws unless `backlog` can be one. The kernel cuts it down to what it allows (`net.core.somaxconn`). */
export function checkBacklog(backlog: unknown): void {
  checkInteger("backlog", backlog, 1, 0x7fff_ffff);
}

/** Throws unless `host` may be a host name or an address: a text that is not empty and has no NUL in it. */
export function checkHost(name: string, host: unknown): void {
  if (typeof host !== "string") throw new TypeError(`${name} must be a string, got ${typeof host}`);
  if (host === "") throw new TypeError(`${name} must not be empty`);
  if (host.includes("\0")) throw new TypeError(`${name} must not contain NUL: ${JSON.stringify(host)}`);
}

/** Bytes of the longest path that a socket's address has room for, its final NUL left out. */
const MAX_PATH_BYTES = process.platform === "darwin" ? 103 : 107;

/** Throws unless `path` fits a Unix socket's address. Some systems cut it off without a word. */
export function checkUnixPath(path: unknown): void {
  if (typeof path !== "string") throw new TypeError(`path must be a string, got ${typeof path}`);
  if (path === "" || path.lastIndexOf("\0") > 0) {
    throw new TypeError(`Not the path of a Unix socket: ${JSON.stringify(path)}`);
  }
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_PATH_BYTES) {
    throw new RangeError(
      `Path of a Unix socket is too long: ${bytes} bytes, limit ${MAX_PATH_BYTES}: ${path}`,
    );
  }
}

/** What a numeric `host` is as an address, or `undefined` for a name. */
export function literal(host: string): ResolvedAddress | undefined {
  const family = isIP(host);
  return family === 0 ? undefined : { address: host, family: family as 4 | 6 };
}

/** `[::1]:80`, `127.0.0.1:80` or a path, for messages. */
export function place(address: string, port: number, family: AddressFamily): string {
  if (family === "unix") return address.replace("\0", "@");
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}
