// A stream that came through a proxy: it knows who is at its other end, and so does what TLS makes of it.

import { type SecureSocket, SSLIOStream, type StreamOptions, type TransportInfo } from "@tw/iostream";
import { ServedStream } from "../connections.js";
import type { ProxyHeader } from "./header.js";

/** What a stream with a PROXY header says of its ends: addresses are those of the client's connection to the proxy. */
class ProxiedInfo implements TransportInfo {
  readonly header: ProxyHeader;
  /** Facts about the connection from the proxy to us. */
  readonly direct: TransportInfo;

  constructor(header: ProxyHeader, direct: TransportInfo) {
    this.header = header;
    this.direct = direct;
  }

  get engine(): TransportInfo["engine"] {
    return this.direct.engine;
  }

  get encrypted(): boolean {
    return this.direct.encrypted || this.header.encrypted;
  }

  get remoteAddress(): string {
    const { source } = this.header;
    if (source === undefined) return this.direct.remoteAddress;
    return source.family === "unix" ? "" : source.address;
  }

  get remotePort(): number {
    return this.header.source?.port ?? this.direct.remotePort;
  }

  get localAddress(): string {
    return this.header.destination?.address ?? this.direct.localAddress;
  }

  get localPort(): number {
    return this.header.destination?.port ?? this.direct.localPort;
  }
}

/** A connection whose first bytes are a PROXY header. */
export class ProxiedStream extends ServedStream {
  // Not `#`, which observers of `tw:iostream:opened` would look for before it is there.
  private described: ProxiedInfo | undefined = undefined;

  override get info(): TransportInfo {
    return this.described ?? super.info;
  }

  /** @internal The header has come. */
  introduce(header: ProxyHeader): void {
    this.described = new ProxiedInfo(header, super.info);
  }

  protected override secured(socket: SecureSocket, options: StreamOptions): SSLIOStream {
    const header = this.described?.header;
    if (header === undefined) return super.secured(socket, options);
    return new SSLIOStream(socket, options, (direct) => new ProxiedInfo(header, direct));
  }
}

/**
 * What the proxy in front of `stream` said about it, or `undefined` when nobody said anything.
 *
 * @example
 * const server = new TCPServer(
 *   (stream) => {
 *     const sni = proxyHeaderOf(stream)?.tlvs.find((tlv) => tlv.type === 2);
 *   },
 *   { proxyProtocol: { trusted: ["loopback"] } },
 * );
 */
export function proxyHeaderOf(stream: { readonly info: TransportInfo }): ProxyHeader | undefined {
  const { info } = stream;
  return info instanceof ProxiedInfo ? info.header : undefined;
}
