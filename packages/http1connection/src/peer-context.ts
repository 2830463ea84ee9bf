// What a connection knows of its peer: the same on a server and on a client.

import type { ConnectionContext } from "@tw/httputil";
import type { IOStream } from "@tw/iostream";

/** The facts that the stream of a connection has. */
export abstract class PeerContext implements ConnectionContext {
  readonly stream: IOStream;

  constructor(stream: IOStream) {
    this.stream = stream;
  }

  get remoteIp(): string {
    return this.stream.info.remoteAddress;
  }

  get remotePort(): number {
    return this.stream.info.remotePort;
  }

  get protocol(): "http" | "https" {
    return this.stream.info.encrypted ? "https" : "http";
  }
}
