// Frames that end with certain bytes, which no message contains.

import { indexOfBytes, isBytes, latin1 } from "@tw/util";
import { type Codec, UNKNOWN } from "./codec.js";
import { findByte } from "./find-byte.js";
import { checkBytes, checkBytesOption, checkSent, type LimitedOptions, payloadOf } from "./payload.js";

/**
 * Messages of bytes before a delimiter, which is not part of them. A string delimiter is latin1. Sending a message that
 * contains the delimiter is refused: its receiver would see two.
 *
 * @example
 * for await (const name of stream.frames(delimited("\0", { maxFrameSize: 256 }))) console.log(name.length);
 */
export function delimited(delimiter: Uint8Array | string, options: LimitedOptions): Codec<Uint8Array> {
  const mark = typeof delimiter === "string" ? latin1(delimiter) : delimiter;
  if (!isBytes(mark)) throw new TypeError("delimiter must be a Uint8Array or a string");
  if (mark.length === 0) throw new RangeError("delimiter must not be empty");
  const end = new Uint8Array(mark); // not `slice`, which of a Buffer is a view
  const maxFrameSize = checkBytesOption("maxFrameSize", options.maxFrameSize, end.length);
  return {
    maxFrameSize,
    measure: (bytes, start, stop, seen) => measureDelimited(end, bytes, start, stop, seen),
    decode: (bytes, start, stop, own) => payloadOf(bytes, start, stop - end.length, own),
    encode(message) {
      checkBytes(message);
      checkSent(message.length + end.length, maxFrameSize);
      const frame = new Uint8Array(message.length + end.length);
      frame.set(message);
      frame.set(end, message.length);
      // Also one that only the two together have: the end of the message may begin another.
      if (indexOfBytes(frame, end) !== message.length)
        throw new RangeError("A message must not contain its delimiter");
      return frame;
    },
  };
}

function measureDelimited(
  mark: Uint8Array,
  bytes: Uint8Array,
  start: number,
  end: number,
  seen: number,
): number {
  if (mark.length === 1) {
    const at = findByte(bytes, mark[0] as number, start + seen, end);
    return at === -1 ? UNKNOWN : at + 1 - start;
  }
  // It may have begun in what was seen already.
  const at = indexOfBytes(bytes, mark, Math.max(start, start + seen - mark.length + 1));
  return at === -1 || at + mark.length > end ? UNKNOWN : at + mark.length - start;
}
