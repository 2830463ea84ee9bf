// One request and its response: where both of them stand, and what each half must know of the other. Who reads the
// request and who writes it is the role's business; the facts are the same.
//
// The halves are base classes, not parts: a part would cost a load and a call for each byte count it is asked for.
//
//   Cycle  ◄── ReadingHalf (bytes in, events out)  ◄── HTTP1Machine (events in, text out)

import { HTTPOutputError } from "@tw/httputil";
import { type BodyWriter, NO_BODY_WRITER } from "./body-writers.js";
import { InputWindow } from "./input-window.js";
import type { ResolvedHTTP1Options } from "./options.js";
import { READING, type ReadingState, WRITING, type WritingState } from "./states.js";

/** Whose end of the connection a machine is. */
export type HTTP1Role = "server" | "client";

/** What a machine knows between two calls. Its fields are for the halves alone. */
export abstract class Cycle {
  protected readonly role: HTTP1Role;
  protected readonly options: ResolvedHTTP1Options;
  /** What was received and not consumed. */
  protected readonly input: InputWindow = new InputWindow();
  /** The peer finished sending. */
  protected ended = false;
  /** What the peer broke the protocol with; nothing is read any more. */
  protected error: unknown = undefined;
  protected reading: ReadingState = READING.idle;
  protected writing: WritingState = WRITING.idle;
  protected writer: BodyWriter = NO_BODY_WRITER;
  /** Of the message that is read. */
  protected maxBodySize: number;
  /** 1xx responses that were read. */
  protected informations = 0;
  /** Method of the request, whichever side sent it; `""` before there is one. */
  protected method = "";
  /** Value of the request's Upgrade, when it asked for one. */
  protected upgrade: string | undefined = undefined;
  /**
   * It speaks HTTP/1.1, or a later minor version, which is read as the highest one that is known, RFC 9110 §2.5. By the
   * last message that was read; a server's version is taken for granted before it has answered.
   */
  protected peerIs11 = true;
  /** As far as the message that was read says, HTTP goes on after this cycle. */
  protected peerPersists = true;
  /** As far as the message that was written says. */
  protected persists = true;

  constructor(role: HTTP1Role, options: ResolvedHTTP1Options) {
    this.role = role;
    this.options = options;
    this.maxBodySize = options.maxBodySize;
  }

  /** Bytes received and not consumed. */
  get buffered(): number {
    return this.input.length;
  }

  /** Whether HTTP may go on after this cycle, as far as both sides have spoken; not where another protocol takes over. */
  get keepAlive(): boolean {
    if (!this.peerPersists || !this.persists || this.error !== undefined) return false;
    // A server reads what a client sent before it ended.
    if (this.role === "server") return !this.ended || this.buffered > 0;
    // RFC 9112 §6.3 (11): a client that got more than it asked for must not take that for the answer to its next request.
    return !this.ended && (this.reading !== READING.done || this.buffered === 0);
  }

  /** Whether the peer has finished sending: nothing comes behind what is buffered. */
  get peerEnded(): boolean {
    return this.ended;
  }

  /**
   * Between messages: nothing is being read or written, and nothing of the next message came yet. The blank line that a
   * server ignores in front of a request is none of it, RFC 9112 §2.2, nor is the CR of one whose LF has not come.
   */
  get idle(): boolean {
    const between = this.reading === READING.idle || this.reading === READING.head;
    if (!between || this.writing !== WRITING.idle || this.error !== undefined) return false;
    return this.buffered === 0 || (this.role === "server" && this.input.isLoneCR);
  }

  /**
   * Goes on to the next request and response, when both of this cycle are complete. Pipelined input is kept.
   *
   * @throws HTTPOutputError when one of them is not, or when the connection is not to be used again
   */
  startNextCycle(): void {
    const { next: nextReading } = this.reading;
    const { next: nextWriting } = this.writing;
    // RFC 9112 §9.3 (4): both messages are whole.
    if (nextReading === undefined || nextWriting === undefined || !this.keepAlive) {
      throw misuse("startNextCycle", `reading ${this.reading.name}, writing ${this.writing.name}`);
    }
    this.#begin(nextReading, nextWriting);
  }

  /**
   * Forgets everything, for the next connection. What the peer sent is gone, whatever became of it; a body that was being
   * read is never looked at again, as only its own state does.
   */
  renew(): void {
    this.input.clear();
    this.ended = false;
    this.error = undefined;
    this.peerIs11 = true;
    this.peerPersists = true;
    this.persists = true;
    this.#begin(READING.idle, WRITING.idle);
  }

  #begin(reading: ReadingState, writing: WritingState): void {
    this.reading = reading;
    this.writing = writing;
    this.maxBodySize = this.options.maxBodySize;
    this.informations = 0;
    this.method = "";
    this.upgrade = undefined;
    this.writer = NO_BODY_WRITER;
  }
}

/** The error for a call at the wrong time. */
export function misuse(what: string, state: string): HTTPOutputError {
  return new HTTPOutputError(`Cannot ${what} now: ${state}`, { code: "ERR_TW_HTTP_STATE" });
}
