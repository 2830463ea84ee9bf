// Where connections begin when something in front speaks the PROXY protocol: their header is read, and taken off, before
// a handler or TLS sees a byte.
//
//   accept ──► Gate ──trusted──► HeaderReceiver ──► TLS, handleStream
//                └──not trusted──► refused, or passed on as it is
//
// The specification forbids to guess whether a header is there: whoever may connect could write one. So who is believed
// is known beforehand, by address.

import type { IOLoop, Timeout } from "@tw/ioloop";
import type { StreamReceiver } from "@tw/iostream";
import { checkDurationMs, checkInteger, concatBytes, EMPTY_BYTES } from "@tw/util";
import { report } from "../report.js";
import { type TrustedPeers, trustedPeers } from "../trusted-peers.js";
import { DEFAULT_MAX_HEADER_SIZE, ProxyProtocolError } from "./header.js";
import type { ProxiedStream } from "./proxied-stream.js";
import { proxyVersion, type ReadHeader, readProxyHeader } from "./read-header.js";

/** Options of the PROXY protocol. */
export interface ProxyProtocolOptions {
  /** The proxies: connections from them begin with a header, and it is believed. There is no default. */
  readonly trusted: TrustedPeers;
  /**
   * What becomes of connections from elsewhere: `"refuse"` ends them, `"plain"` serves them as they are, a header in
   * them being nothing but bytes. @default "refuse"
   */
  readonly others?: "refuse" | "plain";
  /**
   * Whether a trusted proxy must send a header. With `false` a connection that begins with anything else is served as
   * it is: for health checks that speak the protocol behind. Then a proxy that passes on what clients send, header or
   * not, lets each client choose its address. @default true
   */
  readonly required?: boolean;
  /** Milliseconds until the header must be there; then the connection is ended. 0 is no limit. @default 5000 */
  readonly headerTimeoutMs?: number;
  /** Bytes of a header of version 2; the connection is ended. One of version 1 has at most 107. @default 4096 */
  readonly maxHeaderSize?: number;
}

/** How long a proxy may take for its header: it sends it with its first packet. */
const DEFAULT_HEADER_TIMEOUT_MS = 5000;

/** A header of version 2 for two Unix addresses without TLVs. */
const LEAST_MAX_HEADER_SIZE = 232;

/** What all connections of one server begin with. */
export class ProxyGate {
  readonly loop: IOLoop;
  readonly required: boolean;
  readonly headerTimeoutMs: number;
  readonly maxHeaderSize: number;
  readonly #trusted: (address: string) => boolean;
  readonly #refuses: boolean;

  /** @throws TypeError, RangeError for options that are none */
  constructor(loop: IOLoop, options: ProxyProtocolOptions) {
    if (typeof options !== "object" || options === null)
      throw new TypeError("proxyProtocol must be an object of options");
    const { others = "refuse", required = true } = options;
    const { headerTimeoutMs = DEFAULT_HEADER_TIMEOUT_MS, maxHeaderSize = DEFAULT_MAX_HEADER_SIZE } = options;
    this.#trusted = trustedPeers("proxyProtocol.trusted", options.trusted);
    if (others !== "refuse" && others !== "plain")
      throw new TypeError(`proxyProtocol.others must be "refuse" or "plain", got ${String(others)}`);
    if (typeof required !== "boolean") throw new TypeError("proxyProtocol.required must be true or false");
    checkDurationMs("proxyProtocol.headerTimeoutMs", headerTimeoutMs);
    checkInteger("proxyProtocol.maxHeaderSize", maxHeaderSize, LEAST_MAX_HEADER_SIZE, 16 + 0xffff);
    this.loop = loop;
    this.required = required;
    this.headerTimeoutMs = headerTimeoutMs;
    this.maxHeaderSize = maxHeaderSize;
    this.#refuses = others === "refuse";
  }

  /** Calls `proceed` when the header of `stream`, which has just been accepted, is read; a bad one ends the stream. */
  admit(stream: ProxiedStream, proceed: () => void): void {
    const { remoteAddress, localPort } = stream.info;
    // On Node's sockets a TCP peer that reset its connection at once has no address either, but what it sent can be
    // read: it is no Unix socket's.
    const known = remoteAddress !== "" || localPort === 0;
    if (known && this.#trusted(remoteAddress)) stream.attach(new HeaderReceiver(this, stream, proceed));
    else if (!this.#refuses) proceed();
    else
      this.refuse(stream, new ProxyProtocolError(`Not a trusted proxy: ${remoteAddress || "(no address)"}`));
  }

  /** Anybody can connect and say anything: that is worth a line of debugging. */
  refuse(stream: ProxiedStream, error: unknown): void {
    report(this.loop, "debug", "Connection without a PROXY header that can be believed", error);
    stream.abort(error);
  }
}

/** Reads one header. */
class HeaderReceiver implements StreamReceiver {
  readonly #gate: ProxyGate;
  readonly #stream: ProxiedStream;
  readonly #proceed: () => void;
  readonly #timer: Timeout | undefined;
  #bytes = EMPTY_BYTES;

  constructor(gate: ProxyGate, stream: ProxiedStream, proceed: () => void) {
    this.#gate = gate;
    this.#stream = stream;
    this.#proceed = proceed;
    const { loop, headerTimeoutMs } = gate;
    if (headerTimeoutMs > 0)
      this.#timer = loop.callLater(headerTimeoutMs, () => this.#fail(`within ${headerTimeoutMs} ms`));
  }

  onBytes(view: Uint8Array): void {
    this.#bytes = concatBytes([this.#bytes, view]);
    const { required, maxHeaderSize } = this.#gate;
    if (!required && proxyVersion(this.#bytes) === 0) return this.#handOn(0);
    let found: ReadHeader | undefined;
    try {
      found = readProxyHeader(this.#bytes, maxHeaderSize);
    } catch (error) {
      this.#end();
      return this.#gate.refuse(this.#stream, error);
    }
    if (found === undefined) return;
    this.#stream.introduce(found.header);
    this.#handOn(found.length);
  }

  /** What follows the header is for whoever comes next. */
  #handOn(from: number): void {
    this.#end();
    this.#stream.detach(this.#bytes.subarray(from));
    this.#proceed();
  }

  onEnd(): void {
    if (this.#gate.required || this.#bytes.length === 0) this.#fail("before the end of input");
    else this.#handOn(0);
  }

  onDrain(): void {}

  onClose(): void {
    this.#end();
  }

  #fail(when: string): void {
    this.#end();
    this.#gate.refuse(this.#stream, new ProxyProtocolError(`No PROXY header ${when}`));
  }

  #end(): void {
    if (this.#timer !== undefined) this.#gate.loop.removeTimeout(this.#timer);
  }
}
