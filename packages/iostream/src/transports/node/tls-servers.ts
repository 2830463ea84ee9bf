// The answering side of handshakes. Node has public calls for it only in `tls.Server`, which accepts any stream that is
// emitted as its 'connection', and says in the end which TLSSocket came of it, but not of which stream. So each server
// has one handshake at a time, and those that have none are kept: making one means to parse keys, for a millisecond.

import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import type { Server, TLSSocket } from "node:tls";
import { serverOptions, type TLSOptions } from "./tls-options.js";

type TLS = typeof import("node:tls");

/** Servers kept for one set of options. */
const SPARE_SERVERS = 16;

/** What came of a handshake: its socket, secure or with what went wrong. */
export type HandshakeEnd = (socket: TLSSocket, error: unknown) => void;

/** The servers of one set of options. */
class ServerPool {
  readonly #tls: TLS;
  readonly #options: TLSOptions;
  /** Of all of them, so that a session begun with one is resumed with another. */
  readonly #ticketKeys: Buffer = randomBytes(48);
  readonly #spare: Server[] = [];

  constructor(tls: TLS, options: TLSOptions) {
    this.#tls = tls;
    this.#options = options;
  }

  answer(carrier: Duplex, end: HandshakeEnd): void {
    const server =
      this.#spare.pop() ?? this.#tls.createServer(serverOptions(this.#tls, this.#options, this.#ticketKeys));
    const over = (socket: TLSSocket, error: unknown): void => {
      server.removeAllListeners("secureConnection");
      server.removeAllListeners("tlsClientError");
      if (this.#spare.length < SPARE_SERVERS) this.#spare.push(server);
      end(socket, error);
    };
    server.on("secureConnection", (socket) => over(socket, undefined));
    server.on("tlsClientError", (error, socket) => over(socket, error));
    server.emit("connection", carrier);
  }
}

const pools = new WeakMap<TLSOptions, ServerPool>();

/** Answers the handshake of who is at the other end of `carrier`. @throws Error when the options make no context */
export function answerHandshake(tls: TLS, carrier: Duplex, options: TLSOptions, end: HandshakeEnd): void {
  let pool = pools.get(options);
  if (pool === undefined) {
    pool = new ServerPool(tls, options);
    pools.set(options, pool);
  }
  pool.answer(carrier, end);
}
