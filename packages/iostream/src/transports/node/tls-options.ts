// Options of TLS over a stream: Node's own names for what Node has, and ours for the rest.

import { isIP } from "node:net";
import type { ConnectionOptions, SecureContextOptions, TlsOptions } from "node:tls";
import { checkDurationMs, checkSignal } from "@tw/util";
import { guardIdentity, guardSNI } from "./tls-callbacks.js";

/**
 * Options of `startTls`. `key`, `cert`, `ca`, `minVersion` and so on are those of Node's `tls.createSecureContext`.
 * A server keeps what it makes of them for as long as the object lives: use one object for all connections.
 */
export interface TLSOptions extends SecureContextOptions {
  /** Whether we answer the handshake; a server needs `key` and `cert` (or `pfx`). @default false */
  readonly isServer?: boolean;
  /** Client: the host we mean, which the certificate must be for, and which is named to the server (SNI). Needed to verify. */
  readonly servername?: string;
  /**
   * Refuses a peer whose certificate does not verify. False talks to anybody, who may be the attacker in the middle;
   * `authorized` tells afterwards. @default true
   */
  readonly rejectUnauthorized?: boolean;
  /** Server: asks the client for a certificate. @default false */
  readonly requestCert?: boolean;
  /** Application protocols, best first (RFC 7301). */
  readonly ALPNProtocols?: readonly string[];
  /**
   * Server: chooses a certificate by the name that the client asks for, as what `tls.createSecureContext` returns. What it
   * throws or gives otherwise refuses that client.
   */
  readonly SNICallback?: TlsOptions["SNICallback"];
  /** Client: a session to resume. */
  readonly session?: ConnectionOptions["session"];
  /** Client: verifies the name in the certificate, in place of Node's own check. What it returns or throws refuses the server. */
  readonly checkServerIdentity?: ConnectionOptions["checkServerIdentity"];
  /** Milliseconds until a handshake is given up, so that a silent peer holds no connection; 0 is no limit. @default 20000 */
  readonly handshakeTimeoutMs?: number;
  /**
   * Gives the handshake up and closes the connection; the promise rejects with `signal.reason`. One that is aborted already
   * rejects with its reason and leaves the stream open, as it was.
   */
  readonly signal?: AbortSignal | undefined;
}

/** @throws TypeError, RangeError for options that cannot lead to a verified connection */
export function checkTlsOptions(options: TLSOptions): void {
  const { isServer = false, servername, handshakeTimeoutMs = 0 } = options;
  checkDurationMs("handshakeTimeoutMs", handshakeTimeoutMs);
  checkSignal(options.signal);
  if (isServer) {
    const identified = options.cert !== undefined || options.pfx !== undefined;
    if (!identified && options.SNICallback === undefined) {
      throw new TypeError("startTls as a server needs cert and key, or pfx, or SNICallback");
    }
  } else if (servername === undefined || servername === "") {
    // Node would take "localhost" for the name to verify.
    if (options.rejectUnauthorized !== false) {
      throw new TypeError("startTls as a client needs servername, the host to verify the certificate for");
    }
  } else if (typeof servername !== "string") {
    throw new TypeError(`servername must be a string, got ${typeof servername}`);
  }
}

/** What Node's `tls.connect` wants. */
export function clientOptions(options: TLSOptions): ConnectionOptions {
  const {
    servername = "",
    isServer,
    handshakeTimeoutMs,
    signal,
    ALPNProtocols,
    SNICallback,
    checkServerIdentity,
    ...rest
  } = options;
  return {
    ...rest,
    ...(checkServerIdentity && { checkServerIdentity: guardIdentity(checkServerIdentity) }),
    ...(ALPNProtocols && { ALPNProtocols: [...ALPNProtocols] }),
    // An address is verified, but never sent as a name (RFC 6066 §3).
    ...(servername !== "" && { host: servername, ...(isIP(servername) === 0 && { servername }) }),
    // Said, because an environment variable may turn the default off.
    rejectUnauthorized: options.rejectUnauthorized !== false,
  };
}

/** What Node's `tls.createServer` wants. */
export function serverOptions(
  tls: typeof import("node:tls"),
  options: TLSOptions,
  ticketKeys: Buffer,
): TlsOptions {
  const {
    servername,
    isServer,
    handshakeTimeoutMs,
    signal,
    ALPNProtocols,
    session,
    checkServerIdentity,
    SNICallback,
    ...rest
  } = options;
  return {
    ticketKeys,
    ...rest,
    ...(SNICallback !== undefined && { SNICallback: guardSNI(tls, SNICallback) }),
    ...(ALPNProtocols && { ALPNProtocols: [...ALPNProtocols] }),
    rejectUnauthorized: options.rejectUnauthorized !== false,
    // Our own limit is the loop's.
    handshakeTimeout: 2 ** 31 - 1,
  } as TlsOptions;
}
