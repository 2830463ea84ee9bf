// One TLS handshake over a Node stream, in either role: it ends with a secure socket, or with everything closed.

import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { IOLoop, Timeout } from "@tw/ioloop";
import { Deferred, offAbort, onAbort } from "@tw/util";
import { type HandshakeFailure, TLSHandshakeError } from "../../errors.js";
import { inNextTurn } from "../../next-turn.js";
import { DEFAULT_HANDSHAKE_TIMEOUT_MS } from "../../options.js";
import { clientOptions, type TLSOptions } from "./tls-options.js";
import { answerHandshake } from "./tls-servers.js";

/** Node closes the connection of a client that a server refuses, and says why up to two turns later. */
const TURNS_TO_SAY_WHY = 3;

/** A handshake under way. */
export class Handshake {
  readonly #loop: IOLoop;
  readonly #carrier: Duplex;
  readonly #options: TLSOptions;
  readonly #done = new Deferred<TLSSocket>();
  #socket: TLSSocket | undefined;
  #timer: Timeout | undefined;
  #over = false;

  /** Begins. `carrier` is the handshake's from now on, and destroyed when it fails. */
  constructor(loop: IOLoop, carrier: Duplex, options: TLSOptions) {
    this.#loop = loop;
    this.#carrier = carrier;
    this.#options = options;
    this.#done.promise.catch(ignore);
    // A peer that ends has given the handshake up; who owns the secure socket then allows it again.
    carrier.allowHalfOpen = false;
    // For good: a carrier that fails when nobody listens ends the process.
    carrier.on("error", this.#failed);
    carrier.on("close", this.#lost);
    const { signal, handshakeTimeoutMs = DEFAULT_HANDSHAKE_TIMEOUT_MS } = options;
    if (signal !== undefined) onAbort(signal, this.#aborted);
    if (handshakeTimeoutMs > 0) {
      this.#timer = loop.callLater(handshakeTimeoutMs, () => {
        this.#fail(
          new TLSHandshakeError("timeout", new Error(`No handshake within ${handshakeTimeoutMs} ms`)),
        );
      });
    }
    this.#begin().catch(this.#failed);
  }

  /** Resolves with the secure socket; rejects with {@link TLSHandshakeError} or what `abort` was given. */
  get done(): Promise<TLSSocket> {
    return this.#done.promise;
  }

  /** Gives up; the connection is closed. */
  abort(reason: unknown): void {
    this.#fail(reason);
  }

  async #begin(): Promise<void> {
    // Loaded when the first connection needs it: nobody else shall carry it.
    const tls = await import("node:tls");
    if (this.#over) return;
    // The peer ended while its end was held back from the stream: Node has told it, and tells nobody again.
    if (this.#carrier.readableEnded) throw closedMeanwhile();
    const { isServer = false } = this.#options;
    if (isServer) {
      answerHandshake(tls, this.#carrier, this.#options, (socket, error) => {
        this.#socket = socket;
        if (error === undefined) this.#secure(socket);
        else this.#fail(failureOf(socket.authorizationError ?? error, error));
      });
      return;
    }
    const socket = tls.connect({ ...clientOptions(this.#options), socket: this.#carrier });
    this.#socket = socket;
    socket.on("error", this.#failed);
    socket.on("close", this.#lost);
    socket.on("secureConnect", () => this.#secure(socket));
  }

  #secure(socket: TLSSocket): void {
    if (this.#over) {
      socket.destroy();
      return;
    }
    socket.on("error", this.#failed);
    // Nothing comes before somebody is there to receive it.
    socket.pause();
    this.#end();
    socket.off("close", this.#lost);
    this.#carrier.allowHalfOpen = true;
    this.#done.resolve(socket);
  }

  readonly #failed = (error: unknown): void => this.#fail(failureOf(error, error));

  readonly #lost = (): void => this.#failLater(TURNS_TO_SAY_WHY);

  #failLater(turns: number): void {
    if (this.#over) return;
    if (turns > 0) inNextTurn(this.#loop, () => this.#failLater(turns - 1));
    else this.#failed(closedMeanwhile());
  }

  readonly #aborted = (): void => this.#fail(this.#options.signal?.reason);

  #fail(reason: unknown): void {
    if (this.#over) return;
    this.#end();
    this.#done.reject(reason);
    this.#socket?.on("error", ignore);
    this.#socket?.destroy();
    this.#carrier.destroy();
  }

  #end(): void {
    this.#over = true;
    if (this.#timer !== undefined) this.#loop.removeTimeout(this.#timer);
    const { signal } = this.#options;
    if (signal !== undefined) offAbort(signal, this.#aborted);
  }
}

function closedMeanwhile(): Error {
  return new Error("The connection was closed during the handshake");
}

/** What OpenSSL and Node call the faults of a certificate. */
const CERTIFICATE_FAILURES: Readonly<Record<string, HandshakeFailure>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: "wrong-host",
  CERT_HAS_EXPIRED: "expired",
  CERT_NOT_YET_VALID: "not-yet-valid",
  DEPTH_ZERO_SELF_SIGNED_CERT: "unknown-ca",
  SELF_SIGNED_CERT_IN_CHAIN: "unknown-ca",
  UNABLE_TO_GET_ISSUER_CERT: "unknown-ca",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "unknown-ca",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "unknown-ca",
  CERT_UNTRUSTED: "unknown-ca",
  CERT_REVOKED: "revoked",
  CERT_REJECTED: "certificate",
  CERT_SIGNATURE_FAILURE: "certificate",
  CERT_CHAIN_TOO_LONG: "certificate",
  INVALID_CA: "certificate",
  INVALID_PURPOSE: "certificate",
  PATH_LENGTH_EXCEEDED: "certificate",
  HOSTNAME_MISMATCH: "wrong-host",
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: "certificate",
};

/** `found` is an error, or the code that a server keeps of it. */
function failureOf(found: unknown, cause: unknown): TLSHandshakeError {
  const code = typeof found === "string" ? found : String((found as { code?: unknown }).code);
  return new TLSHandshakeError(CERTIFICATE_FAILURES[code] ?? otherFailure(code), cause);
}

function otherFailure(code: string): HandshakeFailure {
  return code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_") || code === "EPROTO"
    ? "protocol"
    : "closed";
}

function ignore(): void {}
