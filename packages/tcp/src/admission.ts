// What stands between a connection that was accepted and its handler: the header of a proxy, where one is expected, and
// the handshake of TLS, behind that.
//
//   transport ──► stream ──ProxyGate──► client's address ──startTls──► handler

import type { IOLoop } from "@tw/ioloop";
import type { IOStream, Transport } from "@tw/iostream";
import { type Connections, ServedStream } from "./connections.js";
import { ProxyGate } from "./proxy/gate.js";
import { ProxiedStream } from "./proxy/proxied-stream.js";
import type { PeerAddress, TCPServerOptions } from "./server-options.js";
import { HandshakeFailures } from "./tls/handshake-failures.js";
import { ServerTLS, type TLSServerOptions } from "./tls/server-tls.js";

/** Lets connections of one server in. */
export class Admission {
  readonly #options: TCPServerOptions;
  readonly #connections: Connections;
  readonly #serve: (stream: IOStream, peer: PeerAddress) => void;
  readonly #tls: ServerTLS | undefined;
  readonly #gate: ProxyGate | undefined;
  readonly #handshakeFailures: HandshakeFailures;

  /** @throws TypeError, RangeError for certificates, or options of the PROXY protocol, that cannot be used */
  constructor(
    loop: IOLoop,
    options: TCPServerOptions,
    connections: Connections,
    serve: (stream: IOStream, peer: PeerAddress) => void,
  ) {
    const { tls, proxyProtocol } = options;
    this.#options = options;
    this.#connections = connections;
    this.#serve = serve;
    this.#tls = tls === undefined ? undefined : new ServerTLS(tls);
    this.#handshakeFailures = new HandshakeFailures(loop);
    this.#gate = proxyProtocol === undefined ? undefined : new ProxyGate(loop, proxyProtocol);
  }

  /** Handshakes that failed. */
  get handshakeFailures(): number {
    return this.#handshakeFailures.count;
  }

  /** The next handshake goes by `changes`. @throws TypeError without TLS, or when OpenSSL cannot use them */
  setSecureContext(changes: TLSServerOptions): void {
    if (this.#tls === undefined) throw new TypeError("This server was made without tls");
    this.#tls.reload(changes);
  }

  /** Puts a stream over an accepted transport; it counts as a connection from now on. */
  streamOver(transport: Transport): ServedStream {
    if (this.#gate === undefined) return new ServedStream(transport, this.#options, this.#connections);
    return new ProxiedStream(transport, this.#options, this.#connections);
  }

  /** Serves it when nothing more has to be known of it; until then it is arriving. */
  admit(stream: ServedStream): void {
    if (this.#gate === undefined && this.#tls === undefined) return this.#serve(stream, new Peer(stream));
    this.#connections.arrives(stream);
    if (this.#gate === undefined) this.#secure(stream);
    else this.#gate.admit(stream as ProxiedStream, () => this.#secure(stream));
  }

  #secure(stream: ServedStream): void {
    const peer = new Peer(stream);
    if (this.#tls === undefined) return this.#arrived(stream, stream, peer);
    const { address, port } = peer; // the socket that knew them is about to have another owner
    stream.startTls(this.#tls.current).then(
      (secure) => this.#arrived(stream, secure, { address, port }),
      (error) => this.#handshakeFailed(error, stream, address),
    );
  }

  #arrived(accepted: ServedStream, stream: IOStream, peer: PeerAddress): void {
    this.#connections.arrived(accepted);
    this.#serve(stream, peer);
  }

  /** It is the peer's affair, and ends its connection only. */
  #handshakeFailed(error: unknown, stream: IOStream, address: string): void {
    this.#handshakeFailures.add(error, address);
    stream.abort(error);
  }
}

/** Looked up when asked for: most handlers never ask, and an idle connection shall own nothing it does not need. */
class Peer implements PeerAddress {
  readonly #stream: IOStream;

  constructor(stream: IOStream) {
    this.#stream = stream;
  }

  get address(): string {
    return this.#stream.info.remoteAddress;
  }

  get port(): number {
    return this.#stream.info.remotePort;
  }
}
