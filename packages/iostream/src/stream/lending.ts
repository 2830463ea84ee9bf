// The views that receivers look at just now. Their memory is read into again when a receiver is done, so whatever is sent of
// it must have gone by then, or been copied:
//
//   the stream it came from, which flushes when the receiver returns   goes as it is; what the kernel left is copied
//   the same, where it waits for its peer                              is copied
//   any other stream                                                   is copied
//   whoever sends it later, under the promise of a receiver            is copied
//
// One for all streams of a thread. Calls of two streams may nest, as a receiver may attach another one elsewhere.

import type { WritingStream } from "./writing.js";

/** A receiver that another one interrupts. */
interface Interrupted {
  readonly view: Uint8Array;
  readonly stream: WritingStream;
}

class Lending {
  /** `undefined` where nobody looks at one, or at one that is his own. */
  view: Uint8Array | undefined = undefined;
  /** Where it came from. */
  stream: WritingStream | undefined = undefined;
  /** Whether that stream was given some of it. */
  returned = false;
  /** Other views that are looked at: of receivers that were interrupted, and under promises. */
  others = 0;
  /** How many of them are in which memory. A promise that is never settled may be all that is left of a view. */
  readonly #memories = new WeakMap<ArrayBufferLike, number>();

  /** A receiver is called within the call of another. */
  interrupt(): Interrupted {
    const { view, stream } = this as Interrupted;
    stream.ownLent();
    this.hold(view);
    return { view, stream };
  }

  /** The inner one has returned. */
  goOn({ view, stream }: Interrupted): void {
    this.release(view);
    this.view = view;
    this.stream = stream;
  }

  /** `view` stays lent, whoever looks at another. */
  hold({ buffer }: Uint8Array): void {
    this.others++;
    this.#memories.set(buffer, (this.#memories.get(buffer) ?? 0) + 1);
  }

  /** Ends {@link hold}, for the memory that it was told. */
  release(view: Uint8Array): void {
    this.others--;
    const count = this.#memories.get(view.buffer) ?? 0;
    if (count > 1) this.#memories.set(view.buffer, count - 1);
    else this.#memories.delete(view.buffer);
  }

  /** Whether `chunk` is in the memory of one of the others. */
  holds(chunk: Uint8Array): boolean {
    return this.#memories.has(chunk.buffer);
  }
}

/** What is lent just now. */
export const lending: Lending = new Lending();
