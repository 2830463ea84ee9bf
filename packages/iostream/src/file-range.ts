// A piece of a file, as it is given to `IOStream.sendFile`.

import { checkInteger } from "@tw/util";

/** `length` bytes of an open file, from `offset` on. */
export interface FileRange {
  /** A descriptor that was opened for reading. It stays the caller's, who closes it, and not before it has been sent. */
  readonly fd: number;
  /** Where the bytes begin; the position of the descriptor itself does not matter and stays as it is. */
  readonly offset: number;
  /** How many bytes there are to send. */
  readonly length: number;
}

/** Throws unless `file` can be one. @throws TypeError, RangeError */
export function checkFileRange(file: FileRange): void {
  if (typeof file !== "object" || file === null)
    throw new TypeError(`file must be an object with fd, offset and length, got ${String(file)}`);
  checkInteger("fd", file.fd, 0, 2 ** 31 - 1);
  checkInteger("offset", file.offset);
  checkInteger("length", file.length, 0, Number.MAX_SAFE_INTEGER - file.offset);
}
