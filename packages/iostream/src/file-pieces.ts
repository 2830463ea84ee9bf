// Memory that files are read into on their way to a peer, where the kernel does not send them by itself. A file has one
// piece while it is being sent, so what a peer makes us hold by reading slowly is that.

/** Bytes read at a time. */
export const PIECE_SIZE: number = 128 * 1024;

/** Pieces of a thread that no file needs just now. */
const SPARE_PIECES = 8;

/** A piece of memory. */
export function takePiece(): Uint8Array {
  return spare.pop() ?? new Uint8Array(PIECE_SIZE);
}

/** Gives back what nobody writes to or reads from any more. */
export function givePiece(piece: Uint8Array): void {
  if (spare.length < SPARE_PIECES) spare.push(piece);
}

const spare: Uint8Array[] = [];
