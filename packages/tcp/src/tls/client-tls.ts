// What a TLS client asks of its server: by default a certificate for the host it connects to, from an authority we know.

import type { TLSOptions } from "@tw/iostream";

/** Options of TLS for a client; `ca`, `cert`, `key`, `minVersion` and so on are those of Node's `tls.createSecureContext`. */
export type TLSClientOptions = Omit<
  TLSOptions,
  "isServer" | "signal" | "handshakeTimeoutMs" | "requestCert" | "SNICallback"
>;

/**
 * What `startTls` is to be called with for a connection to `host`; the deadline is the connection's.
 *
 * @throws TypeError for a name to verify that is none
 */
export function clientTls(tls: true | TLSClientOptions, host: string | undefined): TLSOptions {
  if (tls !== true && (typeof tls !== "object" || tls === null)) {
    throw new TypeError("tls must be true or an object of options");
  }
  const options = tls === true ? {} : tls;
  const servername = options.servername ?? host;
  if (servername === undefined && options.rejectUnauthorized !== false) {
    throw new TypeError("tls over a Unix socket needs servername, the host to verify the certificate for");
  }
  if (servername !== undefined && (typeof servername !== "string" || servername === "")) {
    throw new TypeError("tls.servername must be a host name");
  }
  return {
    ...options,
    ...(servername !== undefined && { servername }),
    isServer: false,
    handshakeTimeoutMs: 0,
  };
}
