// What Node knows of a secure connection, with one word for what is not there.

import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";

/** Node's socket over TLS. */
export type SecureSocket = TLSSocket;

/** The certificate of a peer, as `node:crypto` has it. */
export type PeerCertificate = X509Certificate;

/** Facts of which Node says `false`, `null` or `undefined` where there is none. */
export const tlsFacts = {
  alpnProtocol(socket: TLSSocket): string | undefined {
    return socket.alpnProtocol || undefined;
  },

  servername(socket: TLSSocket): string | undefined {
    return (socket as { servername?: string | false | null }).servername || undefined;
  },

  /** Typed as an error, it is a code, and once was one. */
  authorizationError(socket: TLSSocket): string | undefined {
    const found: unknown = socket.authorizationError;
    return found === undefined || found === null
      ? undefined
      : String((found as { code?: unknown }).code ?? found);
  },
};
