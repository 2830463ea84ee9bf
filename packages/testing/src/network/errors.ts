// Failures as the kernel and the resolver of a real machine report them to Node.

import type { AddressFamily } from "@tw/tcp";

/** `connect ECONNREFUSED 10.0.0.2:80`, with `code`, `syscall`, `address` and `port`. */
export function systemError(
  code: string,
  syscall: "listen" | "connect",
  { address, port, family }: { address: string; port: number; family: AddressFamily },
): Error {
  const place = family === "unix" ? address : `${address}:${port}`;
  return Object.assign(new Error(`${syscall} ${code} ${place}`), { code, syscall, address, port });
}

/** `getaddrinfo ENOTFOUND name`. */
export function nameError(code: string, hostname: string): Error {
  return Object.assign(new Error(`getaddrinfo ${code} ${hostname}`), {
    code,
    syscall: "getaddrinfo",
    hostname,
  });
}
