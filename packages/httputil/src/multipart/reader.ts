// A multipart body as parts, and each part as bytes, pulled out of any stream of bytes. Nothing is read that nobody asks
// for, so a reader that is slow, or waits for its disk, slows the sender down. What is left of a part when the next one
// is asked for is skipped; whoever leaves the loop leaves the rest to the source.

import { BodyUsedError } from "../body/errors.js";
import type { MultipartLimits } from "./limits.js";
import { type MultipartEvent, MultipartParser } from "./parser.js";
import { MultipartPart } from "./part.js";
import type { PartHead } from "./part-head.js";

/**
 * Reads the parts of `chunks`. It asks for the next chunk only when all of the last one is read, so chunks may be views
 * that are valid until then. One part is read at a time; asking for the next one skips what is left.
 *
 * Leaving the loop, or an error, calls `return()` of `chunks`: they are told of a loop as by `for await`. An error is thrown to whoever reads, in the part or
 * between parts, and stays: HTTPInputError of {@link MultipartParser}, or what `chunks` throws.
 *
 * @throws RangeError, TypeError as {@link MultipartParser}, at once
 * @example
 * for await (const part of readMultipart(request.chunks(), boundaryOf(contentType))) {
 *   if (part.filename === undefined) fields.set(part.name, await part.text());
 *   else for await (const view of part) await file.write(view);
 * }
 */
export function readMultipart(
  chunks: AsyncIterable<Uint8Array>,
  boundary: string,
  limits?: MultipartLimits,
): AsyncIterableIterator<MultipartPart, undefined> {
  return new MultipartReader(chunks, new MultipartParser(boundary, limits));
}

class MultipartReader implements AsyncIterableIterator<MultipartPart, undefined> {
  readonly #chunks: AsyncIterable<Uint8Array>;
  readonly #parser: MultipartParser;
  #source: AsyncIterator<Uint8Array> | undefined;
  #head: PartHead | undefined;
  #busy = false;
  #looped = false;
  #end: { readonly error?: unknown; readonly failed: boolean } | undefined;

  constructor(chunks: AsyncIterable<Uint8Array>, parser: MultipartParser) {
    this.#chunks = chunks;
    this.#parser = parser;
  }

  [Symbol.asyncIterator](): this {
    this.#looped = true;
    return this;
  }

  async next(): Promise<IteratorResult<MultipartPart, undefined>> {
    this.#requireIdle();
    this.#head = undefined;
    for (;;) {
      const event = await this.#event();
      if (event === undefined) return { done: true, value: undefined };
      if (event.type !== "part") continue;
      const { head } = event;
      this.#head = head;
      return { done: false, value: new MultipartPart(head, () => this.#dataOf(head)) };
    }
  }

  /** Leaves the rest unread. A read that is under way ends with the source, and is not waited for. */
  async return(): Promise<IteratorResult<MultipartPart, undefined>> {
    this.#head = undefined;
    if (this.#end === undefined) {
      this.#end = { failed: false };
      const left = this.#source?.return?.();
      if (!this.#busy) await left;
      else left?.then(undefined, ignore);
    }
    return { done: true, value: undefined };
  }

  /** The next piece of a part, `undefined` at its end. */
  async #dataOf(head: PartHead): Promise<Uint8Array | undefined> {
    if (this.#head !== head) {
      if (this.#end?.failed) throw this.#end.error;
      throw new BodyUsedError("This part is over: the next one was asked for, or the loop was left");
    }
    for (;;) {
      const event = await this.#event();
      if (event?.type === "data") return event.bytes;
      if (event?.type === "partEnd") return undefined;
      if (this.#head !== head) throw new BodyUsedError("This part is over: the loop was left");
    }
  }

  #requireIdle(): void {
    if (this.#busy && this.#end === undefined)
      throw new BodyUsedError("A part is being read: wait for that before asking for more");
  }

  async #event(): Promise<MultipartEvent | undefined> {
    if (this.#end?.failed) throw this.#end.error;
    if (this.#end !== undefined) return undefined;
    this.#requireIdle();
    this.#busy = true;
    try {
      return await this.#pull();
    } catch (error) {
      await this.#fail(error);
      throw error;
    } finally {
      this.#busy = false;
    }
  }

  async #pull(): Promise<MultipartEvent | undefined> {
    for (;;) {
      const event = this.#parser.next();
      if (event !== undefined) return event;
      this.#source ??= this.#open();
      const { done, value } = await this.#source.next();
      if (this.#end !== undefined) return undefined;
      if (done === true) {
        this.#parser.receiveEnd();
        this.#end = { failed: false };
        return undefined;
      }
      this.#parser.receive(value);
    }
  }

  /** Who leaves a loop says so, which lets its source hand out what it would have to copy otherwise. */
  #open(): AsyncIterator<Uint8Array> {
    const source: AsyncIterator<Uint8Array> & Partial<AsyncIterable<Uint8Array>> =
      this.#chunks[Symbol.asyncIterator]();
    if (this.#looped) source[Symbol.asyncIterator]?.();
    return source;
  }

  /** The first error ends everything (S-10): nobody looks at what still comes. */
  async #fail(error: unknown): Promise<void> {
    if (this.#end !== undefined) return;
    this.#end = { failed: true, error };
    try {
      await this.#source?.return?.();
    } catch {
      // The first error is the one that counts.
    }
  }
}

function ignore(): void {}
