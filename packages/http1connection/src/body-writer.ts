// How a piece of a message gets onto the stream: framed by the machine, joined with the head where both are short.

// The global one is a getter, which every answer would ask.
import { Buffer } from "node:buffer";
import type { HTTP1Machine } from "@tw/http1";
import type { BodyChunk, FileRange, HTTPHeaders, MaybePromise } from "@tw/httputil";
import type { IOStream } from "@tw/iostream";
import { isTwError } from "@tw/util";

/** Texts up to this length that are ASCII, the same bytes in latin1 and UTF-8, are joined with the head. */
const SHORT_TEXT = 4096;

/** Texts up to this length are copied behind a head of which the bytes are at hand. */
const FEW = 128;

/**
 * Sends `head` (or `""`) and a piece of the body behind it. A message that has no body (HEAD, 204, 304) drops the
 * piece. Returns false when the peer is slow.
 *
 * @param headBytes the same as `head`, where they are at hand
 * @throws HTTPOutputError when the piece exceeds the Content-Length; nothing of it was sent
 */
export function sendPiece(
  stream: IOStream,
  machine: HTTP1Machine,
  head: string,
  chunk: BodyChunk,
  headBytes?: Uint8Array,
): boolean {
  if (chunk.length === 0 || !machine.bodyAllowed) return head === "" || stream.send(head);
  const suffix = machine.dataSuffix;
  if (typeof chunk === "string") {
    // As many bytes as characters: ASCII. Looking at the characters one by one would cost more from the second on.
    if (chunk.length <= SHORT_TEXT && Buffer.byteLength(chunk) === chunk.length) {
      const body = machine.frameData(chunk.length) + chunk + suffix;
      // Character by character, which is less only for few. Whoever else had the bytes may have given them away.
      if (headBytes?.length === head.length && body.length <= FEW && stream.sendCopies(headBytes, body))
        return true;
      return stream.send(head + body);
    }
    return sendPiece(stream, machine, head, Buffer.from(chunk));
  }
  const before = head + machine.frameData(chunk.length);
  if (before !== "") stream.send(before);
  const ready = stream.send(chunk);
  return suffix === "" ? ready : stream.send(suffix);
}

/**
 * Sends a piece of a file as a piece of the body, and returns what `IOStream.sendFile` does; `undefined` when there is
 * nothing to send.
 *
 * @throws HTTPOutputError when it exceeds the Content-Length; nothing of it was sent
 */
export function sendFilePiece(
  stream: IOStream,
  machine: HTTP1Machine,
  file: FileRange,
): Promise<void> | undefined {
  if (file.length === 0 || !machine.bodyAllowed) return undefined;
  const before = machine.frameData(file.length);
  if (before !== "") stream.send(before);
  const sent = stream.sendFile(file);
  const suffix = machine.dataSuffix;
  if (suffix !== "") stream.send(suffix);
  return sent;
}

/**
 * What the writer of a piece waits for that a message without a body drops: the next turn of the loop. Somebody who
 * answers HEAD with a stream that never ends would keep the loop otherwise.
 */
export function afterDropping({ loop }: IOStream): MaybePromise {
  if (!loop.closed) return new Promise((resolve) => loop.addCallback(resolve));
}

/** Whether sending a file failed for its own sake, and not because the stream had closed. */
export function isFileFault(error: unknown): boolean {
  return isTwError(error, "ERR_TW_FILE_TOO_SHORT") || isTwError(error, "ERR_TW_FILE_READ");
}

/** @throws TypeError unless they are left out or HTTPHeaders */
export function checkTrailers(trailers: HTTPHeaders | undefined): void {
  if (trailers === undefined || Array.isArray(trailers?.rawFields)) return;
  throw new TypeError("Trailers must be HTTPHeaders");
}
