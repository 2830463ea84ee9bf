// A transport over a TLS socket of which the handshake is over. What a secure stream tells of itself it finds here: it is
// there before the stream is, of which observers hear while it is being made.

import type { IOLoop } from "@tw/ioloop";
import type { TransportInfo } from "../../transport.js";
import type { SecureSocket } from "./tls-facts.js";
import { NodeTransport } from "./transport.js";

/** What is said of both ends, of what the socket knows of them. */
export type DescribeEnds = (known: TransportInfo) => TransportInfo;

/** Carries TLS. */
export class SecureTransport extends NodeTransport {
  readonly socket: SecureSocket;
  /** The version: the socket forgets it when it closes. */
  readonly protocol: string;
  readonly #described: TransportInfo | undefined;

  constructor(loop: IOLoop, socket: SecureSocket, describe: DescribeEnds | undefined) {
    super(loop, socket);
    this.socket = socket;
    this.protocol = socket.getProtocol() ?? "";
    this.#described = describe?.(super.info);
  }

  override get info(): TransportInfo {
    return this.#described ?? super.info;
  }
}
