// The currency between the layers (Tornado's httputil): a connection announces requests, a message is fed to a
// delegate, and an answer is written to a connection. Servers, clients, routers, decompressors and the web layer are
// all delegates around delegates; HTTP/1.1, HTTP/2 and fetch are drivers of the same three interfaces.

import type { HTTPHeaders } from "./headers.js";
import type { RequestStartLine, ResponseStartLine } from "./start-line.js";

/** Nothing, or a promise: after a promise no more is read from the peer until it settles. */
export type MaybePromise<T = void> = T | Promise<T>;

/** What a server asks for each request it receives. One per server. */
export interface HTTPServerConnectionDelegate {
  /** A new request is arriving; the answer goes to `connection`. */
  startRequest(connection: HTTPConnection): HTTPMessageDelegate;
  /** The peer's connection is gone. Called once per connection. */
  onClose?(context: ConnectionContext): void;
  /** The driver answered a peer by itself, and no delegate hears of a request: for a log. */
  onRefused?(refusal: Refusal): void;
}

/** What a driver answered by itself. */
export interface Refusal {
  readonly context: ConnectionContext;
  readonly status: number;
  /** The request, where the peer got as far: there was no room for it, say. */
  readonly startLine?: RequestStartLine;
  readonly headers?: HTTPHeaders;
  /** What was wrong with what it sent. */
  readonly error?: unknown;
}

/** Receives one message. Calls come in order: headers, data any number of times, then finish or onConnectionClose. */
export interface HTTPMessageDelegate {
  headersReceived(startLine: RequestStartLine | ResponseStartLine, headers: HTTPHeaders): MaybePromise;
  /**
   * `chunk` is a view: valid until the call returns or the returned promise settles. Copy it to keep it; written to a
   * connection meanwhile, as it is, it needs no copy.
   */
  dataReceived(chunk: Uint8Array): MaybePromise;
  /** The message is complete. */
  finish(): MaybePromise;
  /** The peer went away before the message (server: before the answer) was complete. At most once, instead of or after finish. */
  onConnectionClose(error?: unknown): void;
  /**
   * The answer is complete, or was given up, while the request was still arriving (server): nobody waits for the rest
   * of it. Calls instead of finish; a promise that holds back input, and leases its bytes, is to settle. At most once.
   */
  onAnswerEnd?(): void;
  /** A 1xx response before the final one (client). */
  informationReceived?(startLine: ResponseStartLine, headers: HTTPHeaders): void;
  /** Trailer fields, before finish. */
  trailersReceived?(trailers: HTTPHeaders): void;
}

/** Where an answer (server) or a request (client) is written. */
export interface HTTPConnection {
  /**
   * Facts about the peer and the listener. Of this message: a delegate that knows better, since a trusted proxy said who
   * the client is, puts another in its place before it passes the message on.
   */
  context: ConnectionContext;
  /**
   * Writes a response of the class 1xx ahead of the head, as many as one likes: 103 with the `Link` fields of what the client will
   * need (RFC 8297), or what a server behind a proxy has sent, RFC 9110 §15.2. A client of HTTP/1.0 is sent none. Absent where a
   * driver has no such way. Rejects as {@link write}.
   *
   * @throws RangeError for a code that is not 1xx, and for 101, which is an answer; HTTPOutputError behind the head
   * @example
   * connection.writeInformation?.(103, new HTTPHeaders({ Link: "</style.css>; rel=preload; as=style" }));
   */
  writeInformation?(code: number, headers?: HTTPHeaders): MaybePromise;
  /**
   * Writes the head, with `chunk` as first piece of the body where that is at hand (it then leaves in the same
   * segment). The connection frames the body: the given Content-Length, else chunked or close. Rejects as {@link write}.
   *
   * @throws HTTPOutputError when called twice
   */
  writeHeaders(
    startLine: RequestStartLine | ResponseStartLine,
    headers: HTTPHeaders,
    chunk?: BodyChunk,
  ): MaybePromise;
  /**
   * Writes a piece of the body. The promise, when there is one, resolves when the bytes went to the kernel, or the peer is
   * gone. Once that is so, or the message was given up, each further write rejects with `StreamClosedError`, as Tornado's
   * does, and a callback that ends by this is no failure; one may ignore the promise. A message that has no body (HEAD,
   * 204, 304) drops the piece, and the promise resolves in a later turn of the loop.
   */
  write(chunk: BodyChunk): MaybePromise;
  /**
   * Writes a piece of an open file as a piece of the body, framed as by `write`, without having it in memory: HTTP/1.1 over
   * plain TCP lets the kernel send it. Absent where a driver has no such way: read the file and `write` it.
   *
   * The descriptor stays the caller's, and must stay open until the promise has settled, also when the peer goes away
   * meanwhile: the promise resolves then, and what is written after that is refused, as with `write`. It rejects when the
   * file cannot be read, or is shorter than the range (`ERR_TW_FILE_READ`, `ERR_TW_FILE_TOO_SHORT`); the message has been
   * aborted then, because its peer would take what follows for the rest of the file. A message that has no body drops it.
   *
   * @throws TypeError, RangeError for what is no range; HTTPOutputError when it exceeds the Content-Length: nothing of it
   *   was sent
   * @example
   * const file = await open("video.mp4");
   * try {
   *   const { size } = await file.stat();
   *   connection.writeHeaders(OK, new HTTPHeaders({ "Content-Length": String(size) }));
   *   await connection.writeFile?.({ fd: file.fd, offset: 0, length: size });
   *   connection.finish();
   * } finally {
   *   await file.close();
   * }
   */
  writeFile?(file: FileRange): MaybePromise;
  /**
   * Completes the message. `trailers` go behind a body in chunks, which is one without Content-Length; where there is no
   * place for them they are dropped, as they are fields that a peer may do without, RFC 9110 §6.5.1.
   *
   * @throws HTTPOutputError when fewer bytes were written than Content-Length promised, or for a field that may not come
   *   behind the body (`Content-Type`, `Set-Cookie`, …); the message has been aborted then
   */
  finish(trailers?: HTTPHeaders): void;
  /** Gives up: the peer sees a truncated message, never a well-formed one. */
  abort(reason?: unknown): void;
  /**
   * User code failed on this request: logs it, and answers with 500, or with the status of an `HTTPInputError`, where no
   * head is out; else aborts. For code that runs on after a delegate's method has returned; what a method throws, or
   * rejects with, comes to the same.
   */
  fail?(error: unknown): void;
  /**
   * Sets how many bytes the body of this request may have, in place of the server's `maxBodySize` and for this request
   * only; for `headersReceived`, before the body is read. More: 413, straight away where Content-Length says so.
   *
   * @throws RangeError when it is not a whole number of bytes
   */
  setMaxBodySize?(bytes: number): void;
  /** Bytes that the body of this request may have. Whoever makes more of it, by decoding it, keeps to that. */
  readonly maxBodySize?: number;
  /**
   * Sets how long the body of this request may make no progress, in milliseconds, in place of the server's
   * `bodyTimeoutMs` and for this request only; 0 is for ever. Longer: 408.
   *
   * @throws TypeError, RangeError when it is no duration
   */
  setBodyTimeout?(ms: number): void;
  /**
   * Tells `observer` what becomes of the answer (server), answers that the driver gives for a delegate that failed
   * included. For `startRequest` and `headersReceived`. Several observers are told one after the other.
   */
  observeAnswer?(observer: AnswerObserver): void;
  /**
   * Makes the async context of this call the request's (server): what the driver does for it from now on, calls of the
   * delegate and records of the log, is done in it. For `headersReceived`, in which the call itself goes on as it was.
   */
  adoptContext?(): void;
  /**
   * Answers 101 (200 to a CONNECT that a server lets through) and yields the stream with what came after the request; absent
   * where the protocol has no upgrade.
   */
  upgrade?(headers: HTTPHeaders): UpgradedStream;
}

/**
 * Hears what becomes of an answer: a log, metrics, fields that every answer has. What it throws is logged, and so is what a
 * promise of it rejects with, for which nobody waits.
 */
export interface AnswerObserver {
  /**
   * The head goes out, that of an upgrade included. Returns fields to be written in place of `headers`, or nothing;
   * `headers` belongs to whoever answers, and may be used for other answers too. Called again where a head was refused
   * (`HTTPOutputError`) and another one is written.
   */
  onAnswerHead?(startLine: ResponseStartLine, headers: HTTPHeaders): HTTPHeaders | undefined;
  /** So many bytes of the body were written, before framing. */
  onAnswerData?(size: number): void;
  /** The answer is over. Once, last. */
  onAnswerOver?(end: AnswerEnd): void;
}

/** How an answer ended. */
export interface AnswerEnd {
  /** `refused`: the peer broke the protocol, or was too slow, while its request was arriving. */
  readonly outcome: "complete" | "upgraded" | "aborted" | "refused";
  /** What the peer was refused with; else 0. */
  readonly status: number;
  /** Why it is not whole, where that is known. */
  readonly error?: unknown;
}

/** A piece of a body. Text is UTF-8. Bytes belong to the connection until the write resolves. */
export type BodyChunk = Uint8Array | string;

/** A piece of an open file: `length` bytes from `offset` on. The same shape as iostream's. */
export interface FileRange {
  readonly fd: number;
  readonly offset: number;
  readonly length: number;
}

/** What a connection knows of both its ends. Values are looked up when asked for. */
export interface ConnectionContext {
  /** Numeric address of the peer; `""` for a Unix socket. */
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly protocol: "http" | "https";
  /** Host and port that the client asked for, where a proxy said so that is trusted to; absent otherwise. */
  readonly host?: string | undefined;
  /** What the handshake with this peer agreed on; absent without TLS, and where something in front ends it. */
  readonly tls?: TLSFacts | undefined;
  /**
   * Aborted when the server drains: whoever has a stream that would never end, an upgraded one or an event stream, says
   * goodbye then. One signal for all connections of a server: take listeners off again.
   */
  readonly draining?: DrainSignal;
}

/** A TLS connection, as its stream has it. */
export interface TLSFacts {
  /** The version, such as `TLSv1.3`. */
  readonly protocol: string;
  /** What was agreed on by ALPN, RFC 7301. */
  readonly alpnProtocol: string | undefined;
  /** The name that the client asked for (SNI). */
  readonly servername: string | undefined;
  /** Whether the client's certificate verified. */
  readonly authorized: boolean;
  /** Why it did not, where clients are let in all the same. */
  readonly authorizationError: string | undefined;
  /** The client's certificate, or `undefined` when it sent none. */
  peerCertificate(): CertificateFacts | undefined;
}

/** What matters of a certificate, RFC 5280: part of `X509Certificate` of `node:crypto`, which it is there. */
export interface CertificateFacts {
  readonly subject: string;
  readonly issuer: string;
  readonly subjectAltName: string | undefined;
  readonly serialNumber: string;
  /** SHA-256 of the whole, as `AB:CD:…`. */
  readonly fingerprint256: string;
  readonly validFrom: string;
  readonly validTo: string;
  /** The certificate in DER. */
  readonly raw: Uint8Array;
}

declare global {
  /** Said of the one of Node and of browsers, which a pure package does not have in its types: what it is there, it stays. */
  interface AbortSignal {
    readonly aborted: boolean;
  }
}

/** An `AbortSignal`; where a program's types know none, the part of it that matters here. */
export type DrainSignal = AbortSignal & {
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
};

/** The stream of an upgraded connection: the part of IOStream that a message protocol needs. */
export interface UpgradedStream {
  /** Takes the stream over; what was read already is delivered first, during this call. */
  attach(receiver: UpgradedReceiver): void;
  /** Queues bytes without a promise; a string is latin1, one byte per character. Returns false when the peer is slow: wait for `onDrain`. */
  send(chunk: Uint8Array | string): boolean;
  /** Bytes accepted by `send` that the kernel has not taken yet. */
  readonly bufferedAmount: number;
  /** Stops delivery; level-triggered: none comes after this returns. */
  pause(): void;
  resume(): void;
  /**
   * Half-closes after what is queued: the peer sees the end, and may go on sending, as through a tunnel it may. When both
   * sides have ended, the stream closes by itself.
   */
  end(): void;
  /** Flushes, then closes. */
  close(): void;
  /** Closes now; the peer may see a reset. */
  abort(reason?: unknown): void;
  readonly closed: boolean;
}

/** The same shape as iostream's StreamReceiver. */
export interface UpgradedReceiver {
  /** A view, valid until the call returns or the returned promise settles; meanwhile no more is delivered. */
  onBytes(view: Uint8Array): MaybePromise;
  /** The peer finished sending. */
  onEnd(): void;
  /** Everything that `send` took went to the kernel, after it had returned false. */
  onDrain(): void;
  /** The stream is gone; last call, exactly once. */
  onClose(error?: unknown): void;
}
