// The view that a receiver looks at just now. Its memory is read into again when the receiver returns, so whatever is
// sent of it must have gone by then, or been copied:
//
//   the stream it came from, which flushes when the receiver returns   goes as it is; what the kernel left is copied
//   the same, where it waits for its peer                              is copied
//   any other stream                                                   is copied
//
// One for all streams of a thread. Calls of two streams may nest, as a receiver may attach another one elsewhere.

import type { WritingStream } from "./writing.js";

class Lending {
  /** `undefined` where nobody looks at one, or at one that is his own. */
  view: Uint8Array | undefined = undefined;
  /** Where it came from. */
  stream: WritingStream | undefined = undefined;
  /** Whether that stream was given some of it. */
  returned = false;
}

/** What is lent just now. */
export const lending: Lending = new Lending();
