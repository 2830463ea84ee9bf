// A stream of bytes over a transport: Tornado's reads and writes for people, `attach` and `send` for protocol machines.
//
//   transport ──onBytes──► receiver            attached: views go straight through, nothing is kept
//                 └──────► ReadBuffer ──► read  otherwise: kept for a read; with none pending the transport is paused
//   transport ◄──write──── WriteQueue ◄── send, write     one call for all that one callback wrote
//
// This file makes a stream, and of a plain one a secure one: both are here because each makes the other. The parts it
// consists of are in stream/, one idea each: see stream/base.ts.

import { IOLoop, LoopClosedError } from "@tw/ioloop";
import { rejected } from "@tw/util";
import { handshakeError, handshakeFinish, handshakeStart, opened } from "./channels.js";
import { StartTlsError, StreamBusyError } from "./errors.js";
import type { Codec } from "./framing/codec.js";
import { Frames, type FramesOptions } from "./framing/frames.js";
import { type StreamOptions, streamLimits } from "./options.js";
import type { StreamReceiver } from "./receiver.js";
import { EndingStream } from "./stream/ending.js";
import type { Transport } from "./transport.js";
import { carrierOf } from "./transports/node/carrier.js";
import { Handshake } from "./transports/node/handshake.js";
import { type DescribeEnds, SecureTransport } from "./transports/node/secure-transport.js";
import { StreamDuplex } from "./transports/node/stream-duplex.js";
import { type PeerCertificate, type SecureSocket, tlsFacts } from "./transports/node/tls-facts.js";
import { checkTlsOptions, type TLSOptions } from "./transports/node/tls-options.js";
import { Upgrade } from "./upgrade.js";

/** What a TLS record of a handshake begins with (RFC 8446 §5.1). */
const HANDSHAKE_RECORD = "\x16";

/**
 * A non-blocking stream of bytes.
 *
 * Reads resolve with bytes that are the caller's own. One read at a time: a second rejects with `StreamBusyError`.
 * What was received before the peer closed stays readable; a read that cannot be satisfied any more rejects with
 * {@link StreamClosedError}, whose `cause` is the reason, and closes the stream. With nobody reading, the kernel's
 * window closes and the peer waits.
 *
 * Chunks given to `write` and `send` belong to the stream until they went to the kernel.
 *
 * @example
 * const stream = new IOStream(await connectNodeSocket(loop, { host: "127.0.0.1", port: 7 }), { loop });
 * await stream.write("hello\n");
 * const line = await stream.readUntil("\n", { maxBytes: 1024 });
 * await stream.close();
 */
export class IOStream extends EndingStream {
  /** Takes `transport` over and starts it. @throws RangeError when a size is neither a non-negative integer nor Infinity */
  constructor(transport: Transport, options: StreamOptions = {}) {
    super(transport, options.loop ?? IOLoop.current(), streamLimits(options));
    transport.start(this);
    if (opened.hasSubscribers) opened.publish({ stream: this });
  }

  /**
   * The messages of this stream in the frames of `codec`, to iterate over and to send; see {@link Frames}. Codecs are in
   * `@tw/iostream/framing`. Nothing is read before the iteration begins.
   *
   * @throws RangeError when the codec has no finite limit
   *
   * @example
   * const frames = stream.frames(lines({ maxFrameSize: 1024 }));
   * for await (const line of frames) await frames.write(line.toUpperCase());
   */
  frames<T, S = T>(codec: Codec<T, S>, options?: FramesOptions): Frames<T, S> {
    return new Frames(this, codec, options);
  }

  /** @internal Attaches the receiver of a read: unlike a machine it takes the stream over from nobody. */
  claim(receiver: StreamReceiver): void {
    if (this.receiver !== undefined) throw new StreamBusyError("Cannot read: a receiver is attached");
    this.attach(receiver);
  }

  /**
   * Upgrades to TLS, in either role, and resolves with the secure stream when the handshake is over and the peer verified.
   * This stream is closed from the call on: its descriptor or socket is the new one's, and closing, aborting and
   * `whenClosed` are passed on to it. Limits and loop are kept. On the native engine the descriptor moves to a Node socket.
   *
   * Both sides must be idle. Bytes that came before the upgrade are plaintext, which an attacker may have put there, and
   * are never taken for what came encrypted (STARTTLS injection): a server hands to the handshake what looks like the
   * beginning of one; anything else is an error, and the stream as it was.
   *
   * Rejects with `StartTlsError` when bytes are unread, or unsent after one more try; with `StreamBusyError` while somebody
   * reads; with `StreamClosedError`; with `LoopClosedError` where the loop is closed, which has no time for a handshake;
   * with `signal.reason` where it was aborted before the call: until then the stream is as it was, and open. With
   * `TLSHandshakeError`, whose `reason` says what is wrong, or with `signal.reason`, after which the connection is closed.
   *
   * @throws TypeError, RangeError for options that cannot work; a client needs `servername`
   *
   * @example
   * await stream.write("STARTTLS\r\n");
   * await stream.readUntil("\r\n", { maxBytes: 512 });
   * const secure = await stream.startTls({ servername: "mail.example.com" });
   */
  startTls(options: TLSOptions = {}): Promise<SSLIOStream> {
    checkTlsOptions(options);
    const refusal = this.refusalOfTls(options);
    if (refusal !== undefined) return rejected(refusal.reason);
    const unread = this.takeUnread();
    const { loop } = this;
    const carrier = carrierOf(this.transport, unread) ?? this.handOn(unread);
    const handshake = new Handshake(loop, carrier, options);
    const secure = handshake.done.then((socket) => this.secured(socket, { loop, ...this.limits }));
    secure.then(
      (stream) => {
        if (handshakeFinish.hasSubscribers) handshakeFinish.publish({ stream: this, secure: stream });
      },
      (error) => {
        if (handshakeError.hasSubscribers) handshakeError.publish({ stream: this, error });
      },
    );
    if (handshakeStart.hasSubscribers)
      handshakeStart.publish({ stream: this, isServer: options.isServer === true });
    this.bequeath(new Upgrade(handshake, secure));
    return secure;
  }

  /** Makes the stream that {@link startTls} gives: a kind of stream that knows more overrides it, and passes that on. */
  protected secured(socket: SecureSocket, options: StreamOptions): SSLIOStream {
    return new SSLIOStream(socket, options);
  }

  /** A transport that cannot be taken apart goes on under another stream, which nobody else knows. */
  private handOn(unread: Uint8Array): StreamDuplex {
    const below = new IOStream(this.transport, { loop: this.loop, ...this.limits });
    this.transport.resume();
    below.detach(unread);
    return new StreamDuplex(below);
  }

  /** Why this stream cannot be upgraded as it is. */
  private refusalOfTls({ isServer, signal }: TLSOptions): { readonly reason: unknown } | undefined {
    if (signal?.aborted === true) return { reason: signal.reason };
    if (this.closed || this.life !== "open" || this.input !== "open")
      return { reason: this.closedError("Cannot start TLS") };
    if (this.loop.closed) return { reason: new LoopClosedError("startTls") };
    if (this.reading || this.receiver !== undefined)
      return { reason: new StreamBusyError("Cannot start TLS: somebody is reading") };
    const { buffer } = this;
    if (buffer !== undefined && !(isServer === true && buffer.latin1(0, 1) === HANDSHAKE_RECORD))
      return {
        reason: new StartTlsError(`Cannot start TLS: ${buffer.length} bytes of plaintext are unread`),
      };
    if (!this.flushQueued())
      return { reason: new StartTlsError(`Cannot start TLS: ${this.unsentAmount} bytes are unsent`) };
    return undefined;
  }
}

/**
 * A stream over TLS: the result of {@link IOStream.startTls}, and of a TLS listener. It reads and writes as any other.
 * TLS is Node's, on both engines. A FIN without close_notify counts as the peer's end: a protocol that must notice
 * truncation frames its messages.
 *
 * @example
 * const secure = await stream.startTls({ servername: "example.com", ALPNProtocols: ["http/1.1"] });
 * console.log(secure.protocol, secure.alpnProtocol, secure.peerCertificate()?.subject);
 */
export class SSLIOStream extends IOStream {
  // A field would not be there yet when `tw:iostream:opened` is published.
  declare protected readonly transport: SecureTransport;

  /**
   * Takes over `socket`, a `tls.TLSSocket` of which the handshake is over. `describe` makes {@link info} of what the
   * socket knows, for who knows more: behind a proxy the ends are others.
   */
  constructor(socket: SecureSocket, options: StreamOptions = {}, describe?: DescribeEnds) {
    super(new SecureTransport(options.loop ?? IOLoop.current(), socket, describe), options);
  }

  /** The version, such as `TLSv1.3`. */
  get protocol(): string {
    return this.transport.protocol;
  }

  /** The application protocol that both sides agreed on (RFC 7301), or `undefined`. */
  get alpnProtocol(): string | undefined {
    return tlsFacts.alpnProtocol(this.transport.socket);
  }

  /** The name that the client asked for (SNI), or `undefined`. */
  get servername(): string | undefined {
    return tlsFacts.servername(this.transport.socket);
  }

  /** Whether the peer's certificate verified; false on a server that asked for none. */
  get authorized(): boolean {
    return this.transport.socket.authorized;
  }

  /** Why it did not, as OpenSSL's code or Node's, where `rejectUnauthorized` is false; else `undefined`. */
  get authorizationError(): string | undefined {
    return tlsFacts.authorizationError(this.transport.socket);
  }

  /** The peer's certificate while the stream is open, or `undefined` when it sent none. */
  peerCertificate(): PeerCertificate | undefined {
    return this.transport.socket.getPeerX509Certificate();
  }
}
