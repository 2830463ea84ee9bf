// Frames that say first how long they are.

import { type Codec, UNKNOWN } from "./codec.js";
import { MalformedFrameError } from "./errors.js";
import { checkBytes, checkBytesOption, checkSent, type LimitedOptions, payloadOf } from "./payload.js";
import { MAX_VARINT, readVarint, varintSize, writeVarint } from "./varint.js";

/** How a length is written: bits and byte order (big endian is network order), or a varint of up to 32 bits. */
export type Prefix = "u8" | "u16be" | "u16le" | "u32be" | "u32le" | "varint";

/** Options of {@link lengthPrefixed}. */
export interface LengthPrefixedOptions extends LimitedOptions {
  /** @default "u32be" */
  readonly prefix?: Prefix;
  /** The length counts its own bytes too. Not for varints. @default false */
  readonly includesPrefix?: boolean;
}

/**
 * Messages of bytes behind their length. Refused: a length beyond `maxFrameSize`, before anything of it is buffered; a
 * length that includes itself and is less; a varint that is overlong or has more than 32 bits. A prefix says no more than
 * it has bits for: the codec's `maxFrameSize` is the largest frame that it can announce, where the option is more.
 *
 * @throws RangeError for a `maxFrameSize` that has no room for the prefix itself, TypeError for a prefix that is none
 *
 * @example
 * const messages = stream.frames(lengthPrefixed({ prefix: "u16be", maxFrameSize: 1024 }));
 * messages.send(utf8("hello")); // 00 05 68 65 6c 6c 6f
 */
export function lengthPrefixed(options: LengthPrefixedOptions): Codec<Uint8Array> {
  const { prefix = "u32be", includesPrefix = false } = options;
  if (prefix === "varint") {
    if (includesPrefix) throw new TypeError("A varint cannot include its own length");
    return varintPrefixed(limitOf(options, 1, MAX_VARINT_FRAME));
  }
  const layout = LAYOUTS.get(prefix);
  if (layout === undefined) throw new TypeError(`Not a prefix: ${String(prefix)}`);
  const { width, little } = layout;
  const counted = includesPrefix ? width : 0;
  const maxFrameSize = limitOf(options, width, width - counted + 2 ** (8 * width) - 1);
  return {
    maxFrameSize,
    measure(bytes, start, end) {
      if (end - start < width) return UNKNOWN;
      const length = readLength(bytes, start, width, little);
      if (length < counted)
        throw new MalformedFrameError(`Length ${length} is less than its own ${width} bytes`);
      return width - counted + length;
    },
    decode: (bytes, start, end, own) => payloadOf(bytes, start + width, end, own),
    encode(message) {
      checkBytes(message);
      checkSent(width + message.length, maxFrameSize);
      const frame = new Uint8Array(width + message.length);
      writeLength(frame, message.length + counted, width, little);
      frame.set(message, width);
      return frame;
    },
  };
}

/** The limit that holds, between the smallest frame there is and the largest. */
function limitOf(options: LimitedOptions, smallest: number, largest: number): number {
  return Math.min(checkBytesOption("maxFrameSize", options.maxFrameSize, smallest), largest);
}

function varintPrefixed(maxFrameSize: number): Codec<Uint8Array> {
  return {
    maxFrameSize,
    measure(bytes, start, end) {
      const length = readVarint(bytes, start, end);
      return length === UNKNOWN ? UNKNOWN : varintSize(length) + length;
    },
    decode: (bytes, start, end, own) =>
      payloadOf(bytes, start + varintSize(readVarint(bytes, start, end)), end, own),
    encode(message) {
      checkBytes(message);
      const size = varintSize(message.length) + message.length;
      checkSent(size, maxFrameSize);
      const frame = new Uint8Array(size);
      frame.set(message, writeVarint(frame, 0, message.length));
      return frame;
    },
  };
}

/** Bytes. */
const MAX_VARINT_FRAME = varintSize(MAX_VARINT) + MAX_VARINT;

const LAYOUTS: ReadonlyMap<string, { readonly width: number; readonly little: boolean }> = new Map([
  ["u8", { width: 1, little: false }],
  ["u16be", { width: 2, little: false }],
  ["u16le", { width: 2, little: true }],
  ["u32be", { width: 4, little: false }],
  ["u32le", { width: 4, little: true }],
]);

/** Unsigned whatever the bits: a length is never negative. */
function readLength(bytes: Uint8Array, start: number, width: number, little: boolean): number {
  let length = 0;
  for (let i = 0; i < width; i++)
    length = length * 256 + (bytes[little ? start + width - 1 - i : start + i] as number);
  return length;
}

function writeLength(frame: Uint8Array, length: number, width: number, little: boolean): void {
  for (let i = 0, left = length; i < width; i++, left = Math.floor(left / 256))
    frame[little ? i : width - 1 - i] = left % 256;
}
