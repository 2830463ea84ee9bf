// Texts that are kept. V8 makes no copy when texts are put together: the result is a tree of its pieces, 32 bytes for
// each, until somebody needs its characters. And what is cut out of a longer text may keep all of that alive. Either way
// a client could have us keep many times what its value weighs.

/** `text` with characters of its own: a byte each, and nothing else is kept for it. */
export function flat(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

/** What a piece costs until then, in bytes. */
export const PIECE_WEIGHT = 32;
