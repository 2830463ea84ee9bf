// How a server ends without a request lost. Each connection is told in its own tongue that this is the end:
//
//   waits in the kernel's queue    is accepted, where nobody else will; then as below
//   has not asked yet              may ask within a second, or half the time that there is, and is answered
//   has just been answered         likewise: its next request may be on its way
//   is in front of its handshake   likewise: it may come through, and is then one that has not asked yet; so may one
//                                  whose PROXY header has not come
//   was silent for longer          is closed
//   has asked, and asked on        is answered, the last time with `Connection: close`
//   was upgraded                   hears of it by `draining`: a WebSocket says 1001
//
// Who asks for nothing at the deadline is closed, what is left then is aborted. A kept-alive connection that is closed in
// the very moment in which its client asks again is the one loss that HTTP/1.1 cannot avoid (RFC 9112 §9.6): such a client
// asks anew.

import type { ServerContext } from "@tw/http1connection";
import type { IOLoop, Timeout } from "@tw/ioloop";
import type { TCPServer } from "@tw/tcp";
import { TwError } from "@tw/util";

/** Options of `HTTPServer.drain`. */
export interface DrainOptions {
  /** Milliseconds until what is not answered by then is aborted. @default the server's `drainTimeoutMs` */
  readonly timeoutMs?: number;
}

/** What became of the connections that were there when a server drained, or came while it did. */
export interface DrainResult {
  /** Answered, and closed in time. */
  readonly finished: number;
  /** Closed while they asked for nothing, those whose PROXY header or TLS handshake was not over included. */
  readonly closed: number;
  /** Upgraded, and closed by their owners in time. */
  readonly upgraded: number;
  /** Still asking, being answered or upgraded at the deadline, and aborted. */
  readonly aborted: number;
}

/** Counts of what has become of connections so far. */
interface Standing {
  readonly accepted: number;
  readonly served: number;
  readonly idle: number;
  readonly upgraded: number;
  readonly turnedAway: number;
}

/** One drain of one server. */
export class Drain {
  readonly #loop: IOLoop;
  readonly #context: ServerContext;
  readonly #tcp: TCPServer;
  /** Stands for those who are still in front of TLS or of a proxy's header, among those who may ask once more. */
  readonly #arriving = { onGraceOver: (): void => this.#tcp.closeArriving() };
  /** How it stood before: open connections count as accepted, and as served where they speak HTTP. */
  readonly #before: Standing;
  readonly result: Promise<DrainResult>;
  #timer: Timeout | undefined;
  /** Whether all who waited in the kernel's queue have been accepted: nobody comes any more. */
  #isComplete = false;
  #isOver = false;
  /** The time may be up twice, by its timer and when the last are accepted; who is aborted leaves a turn later. */
  #hasAborted = false;
  #deadline = Number.POSITIVE_INFINITY;
  #abortedRequests = 0;
  #abortedUpgrades = 0;

  /** As {@link within} would have it. */
  constructor(context: ServerContext, tcp: TCPServer, timeoutMs: number, patient: boolean) {
    const { loop, deadlines } = context;
    this.#loop = loop;
    this.#context = context;
    this.#tcp = tcp;
    const { served, accepted, ...others } = this.#standing;
    const { size } = deadlines.members;
    this.#before = { ...others, served: served - size, accepted: accepted - tcp.connectionCount };
    this.within(timeoutMs, patient);
    this.result = this.#run();
  }

  /** Ends it after `timeoutMs` at the latest, whatever was said before. Who is impatient does not wait for requests. */
  within(timeoutMs: number, patient: boolean): void {
    if (this.#loop.closed) return; // nobody has any time
    if (!patient) this.#loop.afterPoll(() => this.#closeQuiet());
    this.#context.grace.shorten(patient ? timeoutMs / 2 : 0);
    const deadline = this.#loop.time() + timeoutMs;
    if (deadline >= this.#deadline) return;
    this.#deadline = deadline;
    if (this.#timer !== undefined) this.#loop.removeTimeout(this.#timer);
    this.#timer = this.#loop.callLater(timeoutMs, () => this.#timeIsUp());
  }

  get #standing(): Standing {
    const { acceptedCount: accepted, turnedAwayCount: turnedAway } = this.#tcp;
    return { ...this.#context.tally, accepted, turnedAway };
  }

  async #run(): Promise<DrainResult> {
    this.#context.drain(new TwError("ERR_TW_DRAINING", "The server stops"));
    if (!this.#loop.closed) for (const connection of [...this.#context.deadlines.members]) connection.drain();
    await this.#tcp.stopServing();
    this.#isComplete = true;
    const { grace } = this.#context;
    if (this.#loop.closed || this.#loop.time() >= this.#deadline) this.#timeIsUp();
    else if (this.#tcp.arrivingCount > 0) grace.give(this.#arriving);
    await this.#tcp.whenEmpty();
    this.#isOver = true;
    grace.delete(this.#arriving);
    if (this.#timer !== undefined) this.#loop.removeTimeout(this.#timer);
    return this.#count();
  }

  #count(): DrainResult {
    const before = this.#before;
    const now = this.#standing;
    const served = now.served - before.served;
    const switched = now.upgraded - before.upgraded;
    const idle = now.idle - before.idle;
    const turnedAway = now.turnedAway - before.turnedAway;
    // What did not speak HTTP, and could have, had been upgraded before.
    const others = now.accepted - before.accepted - served - turnedAway;
    return {
      finished: served - switched - idle - this.#abortedRequests,
      closed: idle + turnedAway,
      upgraded: others + switched - this.#abortedUpgrades,
      aborted: this.#abortedRequests + this.#abortedUpgrades,
    };
  }

  /** Everything that had come by then has been read: who has not asked has not. */
  #closeQuiet(): void {
    if (this.#isOver) return;
    for (const connection of [...this.#context.deadlines.members]) connection.onGraceOver();
    this.#tcp.closeArriving();
  }

  /** Who asks for nothing loses nothing: its end leaves before the others are aborted, so that it sees no reset. */
  #timeIsUp(): void {
    if (!this.#isComplete) return; // who is accepted behind it would be left
    this.#closeQuiet();
    if (this.#loop.closed) this.#abort();
    else this.#loop.afterPoll(() => this.#abort());
  }

  #abort(): void {
    if (this.#isOver || this.#hasAborted) return;
    this.#hasAborted = true;
    const { members } = this.#context.deadlines;
    this.#abortedUpgrades = this.#tcp.connectionCount - this.#tcp.arrivingCount - members.size;
    // Who lingers has its answer.
    for (const connection of members) if (!connection.lingering) this.#abortedRequests++;
    this.#tcp.abortAll(new TwError("ERR_TW_DRAINING", "Still open at the deadline of drain()"));
  }
}
