// A body between the delegate that is pushed it and the code that pulls it: one view in the air, no queue.
//
//   driver ── push(view) ──► [ offered ] ── next() ──► reader
//          ◄── promise ─────────────────── next() ────        the next pull gives the view back and lets more be read
//
// The view is the driver's own, so nothing is copied; and because `push` returns a promise until the reader comes again,
// the socket is not read meanwhile and the kernel's window closes: a slow reader slows its peer down.
//
// Who reads in a loop says when it leaves that. Who calls `next()` may never come again, nor say so, and would hold the view,
// and with it the connection, when nobody wants the body any more: it is given a copy.

import { Deferred } from "@tw/util";
import type { MaybePromise } from "../delegates.js";
import { BodyUsedError } from "./errors.js";

type Result = IteratorResult<Uint8Array, undefined>;

/** How a body ended: `unread` when its reader left, and what comes is dropped; else all was delivered, or an error is. */
type End =
  | { readonly at: "open" | "complete" | "unread" }
  | { readonly at: "failed"; readonly error: unknown };

/**
 * Turns the calls of an `HTTPMessageDelegate` into something to iterate over, once.
 *
 * A view that it yields is valid until the next one is asked for, or the loop is left. Leaving the loop drops the rest
 * of the body as it comes.
 *
 * @example
 * const body = new BodyStream();
 * const delegate = { dataReceived: (view) => body.push(view), finish: () => body.end() };
 * for await (const view of body) hash.update(view);
 */
export class BodyStream implements AsyncIterable<Uint8Array> {
  #end: End = OPEN;
  #used = false;
  /** Whether its reader says when it is done: it is a loop. */
  #looped = false;
  /** Offered by the driver and not taken yet. */
  #offered: Uint8Array | undefined;
  /** What the driver waits for: the view it gave is not in use any more. */
  #lease: Deferred | undefined;
  /** What the reader waits for. */
  #reader: Deferred<Result> | undefined;
  #wanted: Deferred | undefined;

  // ── The driver's side ────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Settled when somebody reads, or nobody will any more: until then a driver may leave the body in the kernel, and a
   * client that expects a 100 waiting.
   */
  whenWanted(): MaybePromise {
    if (this.#reader !== undefined || this.#end !== OPEN) return;
    this.#wanted ??= new Deferred();
    return this.#wanted.promise;
  }

  /** Offers `view`. It must stay as it is until the promise settles; no promise means that it is not wanted. */
  push(view: Uint8Array): MaybePromise {
    if (this.#end !== OPEN || view.length === 0) return;
    this.#lease = new Deferred();
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) this.#offered = view;
    else reader.resolve({ done: false, value: this.#handOut(view) });
    return this.#lease.promise;
  }

  /** The body is complete. */
  end(): void {
    this.#over(COMPLETE);
  }

  /** The body will not be complete: whoever reads it gets `error`. What was offered and not taken is lost. */
  fail(error: unknown): void {
    this.#over({ at: "failed", error });
  }

  #over(end: End): void {
    if (this.#end !== OPEN) return;
    this.#end = end;
    this.#wanted?.resolve();
    if (end.at !== "complete" && (this.#offered !== undefined || !this.#looped)) {
      this.#offered = undefined;
      this.#giveBack();
    }
    const reader = this.#reader;
    this.#reader = undefined;
    if (end.at === "failed") reader?.reject(end.error);
    else reader?.resolve(DONE);
  }

  /** The reader is done with the view: the driver may use it, and read on. */
  #giveBack(): void {
    const lease = this.#lease;
    this.#lease = undefined;
    lease?.resolve();
  }

  // ── The reader's side ────────────────────────────────────────────────────────────────────────────────────────────

  /** Whether somebody reads, or has read. */
  get used(): boolean {
    return this.#used;
  }

  /** Whether it ended before it was complete. */
  get failed(): boolean {
    return this.#end.at === "failed";
  }

  /** @throws BodyUsedError when it has a reader, or has had one */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array, undefined> {
    return this.chunks()[Symbol.asyncIterator]();
  }

  /**
   * The same for whoever may as well call `next()` by himself as loop: without a loop, what it yields is the reader's own,
   * a copy.
   *
   * @throws BodyUsedError when it has a reader, or has had one
   */
  chunks(): AsyncIterableIterator<Uint8Array, undefined> {
    if (this.#used) throw new BodyUsedError("The body has a reader, or has had one");
    this.#used = true;
    const iterator: AsyncIterableIterator<Uint8Array, undefined> = {
      next: () => this.#next(),
      return: () => this.#leave(),
      [Symbol.asyncIterator]: () => {
        this.#looped = true;
        return iterator;
      },
    };
    return iterator;
  }

  #next(): Promise<Result> {
    if (this.#reader !== undefined) {
      return Promise.reject(new BodyUsedError("The body is waited for already: one next() at a time"));
    }
    const value = this.#offered;
    this.#offered = undefined;
    if (value !== undefined) {
      this.#wanted?.resolve();
      return Promise.resolve({ done: false, value: this.#handOut(value) });
    }
    this.#giveBack();
    if (this.#end.at === "failed") return Promise.reject(this.#end.error);
    if (this.#end !== OPEN) return Promise.resolve(DONE);
    this.#reader = new Deferred();
    this.#wanted?.resolve();
    return this.#reader.promise;
  }

  #handOut(view: Uint8Array): Uint8Array {
    return this.#looped ? view : new Uint8Array(view);
  }

  #leave(): Promise<Result> {
    this.#over(UNREAD);
    this.#offered = undefined;
    this.#giveBack();
    return Promise.resolve(DONE);
  }
}

const OPEN: End = { at: "open" };
const COMPLETE: End = { at: "complete" };
const UNREAD: End = { at: "unread" };
const DONE: Result = { done: true, value: undefined };
