// One client: views come in from its stream, requests come out of the parser, and what one view asked for is answered in
// one write.
//
//   onBytes(view) ──► RequestParser ──► execute ──► answers ──► stream.send    nothing here waits for a promise
//                          ▲                           │
//                          └── the rest is kept ◄──────┘  a client that does not read its answers is not read either

import type { IOStream } from "@tw/iostream";
import type { Client, Database } from "./commands/command.js";
import { execute } from "./commands/execute.js";
import { leaveAll } from "./commands/pubsub.js";
import { error, REPLY_TOO_LARGE } from "./resp/replies.js";
import { ProtocolError, RequestParser } from "./resp/request-parser.js";

/** Answers that are collected before they go to the stream, in bytes. */
const FLUSH_AT = 64 * 1024;

/** Serves one stream until it is closed. */
export class Session implements Client {
  readonly db: Database;
  readonly channels: Set<string> = new Set();
  readonly patterns: Set<string> = new Set();
  readonly scans: Map<string, Iterator<string, void>> = new Map();
  readonly #stream: IOStream;
  readonly #parser: RequestParser;
  readonly #gone: () => void;
  readonly #failed = (thrown: unknown): void =>
    this.#stream.loop.logger.error({ err: thrown }, "Exception in a command");
  /** Answers that were not sent yet. */
  #answers = "";
  /** Requests are taken; or a slow client must first take its answers; or there will be no more. */
  #state: "serving" | "waiting" | "leaving" = "serving";
  /** Requests are being taken: what is told meanwhile goes with the answers, in order. */
  #running = false;

  constructor(stream: IOStream, db: Database, gone: () => void) {
    this.#stream = stream;
    this.db = db;
    this.#parser = new RequestParser(db.limits);
    this.#gone = gone;
    stream.attach(this);
  }

  onBytes(view: Uint8Array): void {
    if (this.#state === "leaving") return;
    this.#parser.push(view);
    this.#serve();
  }

  /** The client is done asking, and was answered: while it waits for that, its stream is paused and tells no end. */
  onEnd(): void {
    this.#stream.close();
  }

  /** Everything that was sent has gone: a slow client has caught up. */
  onDrain(): void {
    if (this.#state !== "waiting") return;
    this.#state = "serving";
    this.#serve();
    if (this.#isServing()) this.#stream.resume();
  }

  onClose(): void {
    this.#state = "leaving";
    leaveAll(this);
    this.#gone();
  }

  tell(reply: string): void {
    if (this.#running) {
      this.#answers += reply;
      return;
    }
    const { maxSubscriberBuffer } = this.db.limits;
    // One who does not listen must not fill our memory: better gone than everybody's burden.
    if (this.#stream.bufferedAmount + reply.length > maxSubscriberBuffer)
      this.#stream.abort(new Error(`Subscriber does not read: ${this.#stream.bufferedAmount} bytes wait`));
    else this.#stream.send(reply);
  }

  quit(): void {
    this.#state = "leaving";
  }

  #serve(): void {
    this.#running = true;
    try {
      this.#answerAll();
    } catch (thrown) {
      if (!(thrown instanceof ProtocolError)) throw thrown;
      this.#answers += error(`ERR Protocol error: ${thrown.message}`);
      this.#state = "leaving";
    } finally {
      this.#running = false;
    }
    this.#flush();
    if (this.#state === "leaving") this.#stream.close();
  }

  #answerAll(): void {
    while (this.#isServing()) {
      const request = this.#parser.next();
      if (request === undefined) return;
      const answer = execute(this, request, this.#failed);
      // What it was told meanwhile comes first.
      this.#answers += answer.length > this.db.limits.maxReplySize ? error(REPLY_TOO_LARGE) : answer;
      if (this.#answers.length >= FLUSH_AT) this.#flush();
    }
    if (this.#state === "waiting") this.#parser.keep();
  }

  #isServing(): boolean {
    return this.#state === "serving";
  }

  #flush(): void {
    const answers = this.#answers;
    this.#answers = "";
    if (answers.length === 0 || this.#stream.send(answers)) return;
    // It asks faster than it reads. Its requests wait with it.
    if (this.#state === "serving" && this.#stream.bufferedAmount > this.db.limits.maxReplyBuffer) {
      this.#state = "waiting";
      this.#stream.pause();
    }
  }
}

/** What a client is told for which there is no room. */
export const TOO_MANY_CLIENTS: string = error("ERR max number of clients reached");
