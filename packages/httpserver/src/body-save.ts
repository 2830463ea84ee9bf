// Spilling an upload to disk as it comes.

import { open, rm } from "node:fs/promises";
import { HTTPInputError } from "@tw/httputil";
import { checkInteger } from "@tw/util";

/** Options of {@link saveTo}. */
export interface SaveOptions {
  /** Bytes that may be written; beyond, HTTPInputError 413 `ERR_TW_SAVE_TOO_LARGE`. @default what the body may have */
  readonly maxBytes?: number;
  /** Permissions of the file. @default 0o600 */
  readonly mode?: number;
}

/**
 * Writes a part of a multipart body, or a whole body, into a new file and resolves with its size. A piece is written
 * before the next one is read, so a slow disk slows the sender down and memory holds one piece.
 *
 * `path` is the program's own, **never** made of `part.filename`. The file must not exist, so nothing is overwritten and
 * no symbolic link followed. Whatever fails, the client, the limit or the disk, the promise rejects with that and no file
 * is left behind. The rest of the part is skipped.
 *
 * @throws TypeError, RangeError when an option is no number of bytes, or no mode
 * @example
 * for await (const part of request.multipart()) {
 *   if (part.filename !== undefined) await saveTo(part, join(uploads, randomUUID()));
 * }
 */
export function saveTo(
  part: AsyncIterable<Uint8Array>,
  path: string | URL,
  options: SaveOptions = {},
): Promise<number> {
  const { maxBytes = Number.MAX_SAFE_INTEGER, mode = 0o600 } = options;
  checkInteger("maxBytes", maxBytes);
  checkInteger("mode", mode, 0, 0o777);
  return save(part, path, maxBytes, mode);
}

async function save(
  part: AsyncIterable<Uint8Array>,
  path: string | URL,
  maxBytes: number,
  mode: number,
): Promise<number> {
  const file = await open(path, "wx", mode);
  let size = 0;
  try {
    for await (const view of part) {
      size += view.length;
      if (size > maxBytes) {
        const message = `An upload exceeds ${maxBytes} bytes`;
        throw new HTTPInputError(message, { status: 413, code: "ERR_TW_SAVE_TOO_LARGE" });
      }
      await file.writeFile(view);
    }
    await file.close();
    return size;
  } catch (error) {
    await file.close().catch(ignore);
    await rm(path, { force: true }).catch(ignore);
    throw error;
  }
}

function ignore(): void {}
