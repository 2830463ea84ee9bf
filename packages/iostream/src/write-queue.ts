// Bytes on their way to the kernel: chunks in order, how many bytes they are, and who waits for which of them.
//
//   flushed ──► [ head text │ body bytes │ text │ … ] ──► pushed
//                     ▲ a waiter resolves when `flushed` has reached its mark
//
// A stream has a queue only while something is queued. Emptied queues are kept for the next stream that writes, so
// that an answer costs no allocation and an idle connection holds none.

/** Somebody who wants to know when the bytes before `mark` went to the kernel. */
interface Waiter {
  readonly mark: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Adjacent texts are joined up to this length: one element instead of two for the kernel, no large copies. */
const JOINED_TEXT = 16 * 1024;

const POOL_SIZE = 64;

/** What one stream has to send. */
export class WriteQueue {
  /** Handed to the transport as it is. */
  readonly chunks: (Uint8Array | string)[];
  /** Bytes in `chunks`. */
  bytes: number;
  /** Bytes that have gone since the queue was last empty. */
  flushed = 0;
  readonly #waiters: Waiter[] = [];

  constructor(chunk: Uint8Array | string) {
    this.chunks = [chunk];
    this.bytes = chunk.length;
  }

  push(chunk: Uint8Array | string): void {
    const { chunks } = this;
    this.bytes += chunk.length;
    if (typeof chunk === "string" && chunks.length > 0) {
      const last = chunks[chunks.length - 1];
      if (typeof last === "string" && last.length + chunk.length <= JOINED_TEXT) {
        chunks[chunks.length - 1] = last + chunk;
        return;
      }
    }
    chunks.push(chunk);
  }

  /** Resolves when everything pushed so far has gone. The rejection counts as observed. */
  whenFlushed(): Promise<void> {
    const promise = new Promise<void>((resolve, reject) => {
      this.#waiters.push({ mark: this.flushed + this.bytes, resolve, reject });
    });
    promise.catch(ignore);
    return promise;
  }

  /** Removes the first `count` bytes, which have gone. */
  advance(count: number): void {
    this.bytes -= count;
    this.flushed += count;
    const { chunks } = this;
    if (this.bytes === 0) empty(chunks);
    else if (count > 0) cut(chunks, count);
    if (this.#waiters.length > 0) this.#settle();
  }

  /** Drops everything; whoever waits learns `reason`. */
  drop(reason: unknown): void {
    empty(this.chunks);
    this.bytes = 0;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(reason);
  }

  #settle(): void {
    const waiters = this.#waiters;
    let done = 0;
    while (done < waiters.length && (waiters[done] as Waiter).mark <= this.flushed)
      (waiters[done++] as Waiter).resolve();
    waiters.splice(0, done);
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

/** Gives an empty queue back. */
export function giveQueue(queue: WriteQueue): void {
  queue.flushed = 0;
  if (pool.length < POOL_SIZE) pool.push(queue);
}

const pool: WriteQueue[] = [];

/** `pop` keeps the storage of a short array; setting its length would not. */
function empty(chunks: unknown[]): void {
  if (chunks.length === 1) chunks.pop();
  else chunks.length = 0;
}

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
