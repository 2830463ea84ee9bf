// What every part of a server's connection stands on: its stream, what it waits for, and until when.
//
//   PeerContext ◄── WaitingConnection ◄── LeavingConnection ◄── HTTP1ServerConnection
//   its stream      state, deadlines      refusals, the end     bytes in, one request after the other
//
// Tens of thousands of idle connections are normal: what only some of them need is `undefined` until then. The parts keep
// their own in `private` members and not in `#` ones, of which methods cost each connection a field per class.

import type { HTTP1Machine } from "@tw/http1";
import type { TLSFacts } from "@tw/httputil";
import { type IOStream, SSLIOStream } from "@tw/iostream";
import { Deferred } from "@tw/util";
import type { Expirable } from "../deadlines.js";
import type { Lingering } from "../lingering.js";
import { PeerContext } from "../peer-context.js";
import type { ServerContext } from "../server-context.js";
import type { ServerExchange } from "../server-exchange.js";
import type { Dropping } from "./dropping.js";

/** What the connection waits for: bytes of the peer (`idle`, `head`, `body`), the delegate (`delegate` for more room,
 * `answer`, and `lastAnswer` when the peer has finished sending), the rest of a request that was answered (`dropping`),
 * the peer to take what was sent (`drain`), the peer to close as we have (`lingering`). When it is `done` the stream is
 * gone, or somebody else's. */
export type Waiting =
  | "idle"
  | "head"
  | "body"
  | "delegate"
  | "answer"
  | "lastAnswer"
  | "dropping"
  | "drain"
  | "lingering"
  | "done";

/** How long the connection is to be used: as the peer likes; for what has been asked, and what may be on its way; or
 * for the present request. From `leaving` on answers announce `Connection: close`, unless more has been asked. */
export type Prospect = "open" | "leaving" | "closing";

/** What is longer waits to be read behind a request: CR LF may follow one that means nothing, RFC 9112 §2.2. */
const BLANK_LINE = 2;

/** What a connection waits for, and until when. */
export abstract class WaitingConnection extends PeerContext implements Expirable {
  readonly server: ServerContext;
  /**
   * There from the first byte of a request until the connection is idle again: an idle one owns no parser, unless it was
   * sent a blank line, of which the parser takes no second one.
   */
  protected machine: HTTP1Machine | undefined = undefined;
  protected exchange: ServerExchange | undefined = undefined;
  protected waiting: Waiting = "head";
  protected prospect: Prospect = "open";
  /** How many more requests are answered. */
  protected requestsLeft: number;
  /** There while the peer has more to take than should be queued. */
  protected whenDrained: Deferred | undefined = undefined;
  /** There while the rest of a request is read that was answered. */
  protected dropping: Dropping | undefined = undefined;
  /** There from our end on. */
  protected parting: Lingering | undefined = undefined;
  deadline = 0;
  /** Whether requests are answered with 503, without asking the delegate. */
  refusing = false;

  constructor(stream: IOStream, server: ServerContext) {
    super(stream);
    this.server = server;
    this.requestsLeft = server.maxRequestsPerConnection;
  }

  abstract onExpired(): void;

  get tls(): TLSFacts | undefined {
    return this.stream instanceof SSLIOStream ? this.stream : undefined;
  }

  get draining(): AbortSignal {
    return this.server.draining;
  }

  /** Whether an answer that begins now says that the connection closes behind it. */
  get closing(): boolean {
    return this.prospect !== "open" && !(this.prospect === "leaving" && this.isAskedMore());
  }

  /** Whether something was received behind the present request, and is to be answered as well. */
  private isAskedMore(): boolean {
    if (this.refusing || this.requestsLeft <= 0 || this.exchange?.bodyMissing !== false) return false;
    return this.machine !== undefined && this.machine.buffered > BLANK_LINE;
  }

  /** Whether our side has ended: everything asked is answered, and the peer is only listened to. */
  get lingering(): boolean {
    return this.parting !== undefined;
  }

  /** Resolves when the peer has taken what was sent. */
  drained(): Promise<void> {
    this.whenDrained ??= new Deferred();
    return this.whenDrained.promise;
  }

  /** Nothing has been asked that was not answered, and nothing has begun to be. */
  protected isQuiet(): boolean {
    const { machine, waiting } = this;
    return (waiting === "idle" || waiting === "head") && (machine === undefined || machine.idle);
  }

  protected expect(waiting: Waiting, ticks: number): void {
    this.waiting = waiting;
    this.deadline = ticks === 0 ? 0 : this.server.deadlines.tick + ticks;
  }

  /** A drip of bytes does not put the deadline off. */
  protected expectOnce(waiting: Waiting, ticks: number): void {
    if (this.waiting !== waiting || this.deadline === 0) this.expect(waiting, ticks);
  }
}
