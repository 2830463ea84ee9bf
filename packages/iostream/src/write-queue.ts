// Bytes on their way to the kernel: chunks in order, how many bytes they are, and who waits for which of them.
//
//   flushed ──► [ head text │ body bytes │ text │ … ] ──► pushed
//                     ▲ a waiter resolves when `flushed` has reached its mark
//
// A stream has a queue only while something is queued. Emptied queues are kept for the next stream that writes, so
// that an answer costs no allocation and an idle connection holds none. What a long queue costs beyond its bytes is
// bounded: from some number on, small pieces are copied together and those who wait for them share a promise.

import type { FileLine } from "./file-line.js";
import type { TransportPage } from "./transport.js";
import { PAGE_SIZE, SMALL_PIECE, WritePages } from "./write-pages.js";

/** Somebody who wants to know when the bytes before `mark` went to the kernel. */
class Waiter {
  /** Where the first of those who share it began to wait. */
  readonly first: number;
  mark: number;
  readonly promise: Promise<void>;
  resolve!: () => void;
  #reject!: (reason: unknown) => void;

  constructor(mark: number) {
    this.first = mark;
    this.mark = mark;
    this.promise = new Promise<void>((resolve, reject) => {
      this.resolve = resolve;
      this.#reject = reject;
    });
  }

  /** The rejection counts as observed. */
  reject(reason: unknown): void {
    this.promise.catch(ignore);
    this.#reject(reason);
  }
}

/** Adjacent texts are joined up to this length: one element instead of two for the kernel, no large copies. */
const JOINED_TEXT = 16 * 1024;

/** Pieces, and those who wait, that a queue keeps as they are. */
const MANY = 256;

/** Chunks that are taken out one by one. */
const FEW = 8;

const POOL_SIZE = 64;

/** What one stream has to send. */
export class WriteQueue {
  /** Handed to the transport as it is. */
  readonly chunks: (Uint8Array | string)[];
  /** Bytes in `chunks`. */
  bytes: number;
  /** Bytes that have gone since the queue was last empty. */
  flushed = 0;
  /** Files that leave before all of this. */
  before: FileLine | undefined = undefined;
  /** How many bytes are on a page, and no chunks then. */
  paged = 0;
  #page: TransportPage | undefined;
  /** Times that something was pushed since the queue was last empty. */
  #pushes = 0;
  #pages: WritePages | undefined;
  readonly #waiters: Waiter[] = [];

  constructor(chunk: Uint8Array | string) {
    this.chunks = [chunk];
    this.bytes = chunk.length;
  }

  push(chunk: Uint8Array | string): void {
    if (this.paged > 0) this.leavePage();
    const { chunks } = this;
    const at = chunks.length - 1;
    const last = chunks[at];
    const long = ++this.#pushes >= MANY;
    this.bytes += chunk.length;
    if (typeof chunk === "string" && typeof last === "string") {
      if (last.length + chunk.length <= JOINED_TEXT) {
        chunks[at] = last + chunk;
        return;
      }
      // A joined text is a tree of its pieces until somebody needs its bytes.
      if (long) chunks[at] = Buffer.from(last, "latin1");
    } else if (long && chunk.length <= SMALL_PIECE) {
      this.#pages ??= new WritePages();
      this.#pages.add(chunks, chunk);
      return;
    }
    chunks.push(chunk);
  }

  /** Puts copies of both on `page`, of an empty queue or behind what it has there; there is room for them. */
  put(page: TransportPage, bytes: Uint8Array, text: string): void {
    const end = page.putText(text, page.put(bytes, this.paged));
    page.owner = this;
    this.#page = page;
    this.bytes += end - this.paged;
    this.paged = end;
  }

  /** Makes a chunk of what is on the page, behind the first `gone` bytes: somebody else may have it. */
  leavePage(gone = 0): void {
    const page = this.#page;
    if (page === undefined) return;
    if (gone < this.paged) this.chunks.push(page.slice(gone, this.paged));
    this.paged = 0;
    this.#page = undefined;
    page.owner = undefined;
  }

  /**
   * Resolves when everything pushed so far has gone. A rejection counts as observed. Where many wait already, those of
   * the next 16 KiB wait for the last of them.
   */
  whenFlushed(): Promise<void> {
    const waiters = this.#waiters;
    const mark = this.flushed + this.bytes;
    const last = waiters[waiters.length - 1];
    if (last !== undefined && waiters.length >= MANY && mark - last.first <= PAGE_SIZE) {
      last.mark = mark;
      return last.promise;
    }
    const waiter = new Waiter(mark);
    waiters.push(waiter);
    return waiter.promise;
  }

  /** Removes the first `count` bytes, which have gone. */
  advance(count: number): void {
    this.bytes -= count;
    this.flushed += count;
    if (this.paged > 0) this.leavePage(count);
    else if (this.bytes === 0) this.#empty();
    else if (count > 0) cut(this.chunks, count);
    if (this.#waiters.length > 0) this.#settle();
  }

  /** Copies what is in the memory of `view`, which is about to be read into again. */
  own(view: Uint8Array): void {
    const { chunks } = this;
    for (let i = 0; i < chunks.length; i++) {
      const chunk = chunks[i] as Uint8Array | string;
      // Not `slice`, which of a Buffer is a view.
      if (typeof chunk !== "string" && chunk.buffer === view.buffer) chunks[i] = new Uint8Array(chunk);
    }
  }

  /** Drops everything; whoever waits learns `reason`. */
  drop(reason: unknown): void {
    this.bytes = 0;
    this.leavePage(this.paged);
    this.#empty();
    for (const waiter of this.#waiters.splice(0)) waiter.reject(reason);
  }

  #empty(): void {
    const { chunks } = this;
    // Setting its length would be a call of the runtime's, and take the storage of a short one away.
    if (chunks.length > FEW) chunks.length = 0;
    else while (chunks.length > 0) chunks.pop();
    if (this.#pushes === 0) return;
    this.#pushes = 0;
    this.#pages = undefined;
  }

  #settle(): void {
    const waiters = this.#waiters;
    if (waiters.length === 1 && (waiters[0] as Waiter).mark <= this.flushed) {
      (waiters.pop() as Waiter).resolve();
      return;
    }
    let done = 0;
    while (done < waiters.length && (waiters[done] as Waiter).mark <= this.flushed)
      (waiters[done++] as Waiter).resolve();
    if (done === waiters.length) waiters.length = 0;
    else waiters.splice(0, done);
  }
}

/** A queue that holds `chunk`. */
export function takeQueue(chunk: Uint8Array | string): WriteQueue {
  const queue = pool.pop();
  if (queue === undefined) return new WriteQueue(chunk);
  queue.chunks.push(chunk);
  queue.bytes = chunk.length;
  return queue;
}

/** A queue that holds nothing yet. */
export function takeEmptyQueue(): WriteQueue {
  const queue = takeQueue("");
  queue.chunks.pop();
  return queue;
}

/** Gives an empty queue back. */
export function giveQueue(queue: WriteQueue): void {
  queue.flushed = 0;
  queue.before = undefined;
  if (pool.length < POOL_SIZE) pool.push(queue);
}

const pool: WriteQueue[] = [];

/** Cuts `count` bytes off the front, fewer than there are. */
function cut(chunks: (Uint8Array | string)[], count: number): void {
  let whole = 0;
  let left = count;
  while (left >= (chunks[whole] as Uint8Array | string).length)
    left -= (chunks[whole++] as Uint8Array | string).length;
  chunks.splice(0, whole);
  const first = chunks[0] as Uint8Array | string;
  if (left > 0) chunks[0] = typeof first === "string" ? first.slice(left) : first.subarray(left);
}

function ignore(): void {}
