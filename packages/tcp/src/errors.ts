// Errors of listening and connecting that the kernel has no name for, and those that it has, shaped as Node shapes them.

import { TwError } from "@tw/util";

/** `ERR_TW_CONNECT_TIMEOUT`: a connection was not there within `timeoutMs`. Every attempt at it has been given up. */
export class ConnectTimeoutError extends TwError {
  constructor(where: string, timeoutMs: number) {
    super("ERR_TW_CONNECT_TIMEOUT", `Timeout while connecting to ${where}: ${timeoutMs} ms`);
  }
}

/** `ERR_TW_NO_ADDRESS`: a host has no address, or none of the family that was asked for. */
export class NoAddressError extends TwError {
  constructor(host: string, family: 0 | 4 | 6) {
    super(
      "ERR_TW_NO_ADDRESS",
      `No ${family === 0 ? "" : `IPv${family} `}address found for ${JSON.stringify(host)}`,
    );
  }
}

/** What cannot be listened on, or not in this way: see `code`. */
export class ListenError extends TwError {
  constructor(code: ListenErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/**
 * `ERR_TW_NOT_A_SOCKET`: the path exists and is no socket, which is never replaced. `ERR_TW_NOT_LISTENING`: the
 * descriptor is no listening stream socket. `ERR_TW_LISTEN_FDS`: `LISTEN_FDS` and its like contradict each other.
 * `ERR_TW_REUSE_PORT`: this engine has no `reusePort` here. `ERR_TW_SOCKET_TAKEN`: the socket accepts for somebody
 * already, or was closed. `ERR_TW_SERVER_STARTED`: `start` was called before.
 */
export type ListenErrorCode =
  | "ERR_TW_NOT_A_SOCKET"
  | "ERR_TW_NOT_LISTENING"
  | "ERR_TW_LISTEN_FDS"
  | "ERR_TW_REUSE_PORT"
  | "ERR_TW_SOCKET_TAKEN"
  | "ERR_TW_SERVER_STARTED";

/** The `code` of whatever was thrown, or `""`. */
export function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : "";
}

/** An address that somebody listens on, as the kernel would say it. */
export function addressInUse(address: string): Error {
  const error = new Error(`listen EADDRINUSE: address already in use ${address}`);
  return Object.assign(error, { code: "EADDRINUSE", syscall: "listen", address });
}
