// What a TLS server knows: its certificates, by name, and how to change them while connections come and go.
//
// startTls keeps what it makes of an options object for as long as that object is used. So a reload is a new object:
// handshakes that began with the old one end with it, the next begins with the new one, and none is dropped.

import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import type { TLSOptions } from "@tw/iostream";
import { checkDurationMs } from "@tw/util";

/** A certificate and its key as Node's `tls.createSecureContext` takes them, with what else that takes. */
export type TLSCertificate = SecureContextOptions;

/**
 * Options of TLS for a server. `key`, `cert`, `ca`, `minVersion` and so on are those of Node's
 * `tls.createSecureContext`; `cert` and `key` are PEM, not the names of files.
 */
export interface TLSServerOptions extends Omit<TLSOptions, ClientOnly> {
  /**
   * Certificates for the names that clients ask for (SNI): `"example.com"`, or `"*.example.com"` for one more label.
   * Whoever asks for another name, or for none, gets `cert`.
   */
  readonly hosts?: Readonly<Record<string, TLSCertificate>>;
}

type ClientOnly = "isServer" | "servername" | "session" | "checkServerIdentity" | "signal";

/** The certificates of one server. */
export class ServerTLS {
  readonly #options: TLSServerOptions;
  #current: TLSOptions;

  /** @throws TypeError when there is no certificate, or OpenSSL cannot use it; RangeError for a bad duration */
  constructor(options: TLSServerOptions) {
    if (typeof options !== "object" || options === null)
      throw new TypeError("tls must be an object of options");
    const { handshakeTimeoutMs } = options;
    if (handshakeTimeoutMs !== undefined) checkDurationMs("handshakeTimeoutMs", handshakeTimeoutMs);
    this.#options = options;
    this.#current = prepare(options);
  }

  /** What a handshake that begins now goes by. */
  get current(): TLSOptions {
    return this.#current;
  }

  /** Changes what is given and keeps the rest. When it throws, nothing has changed. */
  reload(changes: TLSServerOptions): void {
    this.#current = prepare({ ...this.#options, ...changes });
  }
}

/** Checks everything that OpenSSL would otherwise refuse with the first connection. */
function prepare({ hosts, ...options }: TLSServerOptions): TLSOptions {
  const identified = options.cert !== undefined || options.pfx !== undefined;
  if (!identified && options.SNICallback === undefined && hosts === undefined) {
    throw new TypeError("tls needs cert and key, or pfx, or hosts, or SNICallback");
  }
  if (options.cert !== undefined && options.key === undefined && options.pfx === undefined) {
    throw new TypeError("tls has a cert, and no key to it");
  }
  contextOf("tls", options);
  if (hosts === undefined) return { ...options, isServer: true };
  if (options.SNICallback !== undefined) throw new TypeError("tls takes hosts or SNICallback, not both");
  const contexts = new Map(
    Object.entries(hosts).map(([name, certificate]) => {
      // What is not said about a name is as for the others.
      const { cert: _cert, key: _key, pfx: _pfx, passphrase: _passphrase, ...shared } = options;
      return [
        name.toLowerCase(),
        contextOf(`tls.hosts[${JSON.stringify(name)}]`, { ...shared, ...certificate }),
      ];
    }),
  );
  return {
    ...options,
    isServer: true,
    SNICallback: (name, done) => done(null, contextFor(contexts, name)),
  };
}

function contextOf(what: string, options: TLSCertificate): SecureContext {
  try {
    return createSecureContext(options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TypeError(`${what} cannot be used: ${why}`, { cause });
  }
}

/** The wildcard stands for one label, the first (RFC 6125 §6.4.3). */
function contextFor(contexts: ReadonlyMap<string, SecureContext>, asked: string): SecureContext | undefined {
  const name = asked.toLowerCase();
  const dot = name.indexOf(".");
  return contexts.get(name) ?? (dot === -1 ? undefined : contexts.get(`*${name.slice(dot)}`));
}
