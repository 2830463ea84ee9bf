// What a codec is: how long the frame at the front is, what it says, and how to say it.
//
//   ├──── a frame: what is on the wire, framing included ────┤
//   │ length, header or nothing │ payload │ delimiter or nothing │
//
// A codec has no state and no buffer: one serves every stream of a program. Buffering, limits, the end of the stream and
// errors that stay are the FrameDecoder's, written once for all codecs.

import { CodecError, FrameTooLargeError } from "./errors.js";
import { checkSent } from "./payload.js";

/** Returned by {@link Codec.measure}: the bytes so far do not tell how long the frame is. */
export const UNKNOWN = -1;

/**
 * One way of putting messages on a stream: `T` is what is received, `S` what is sent.
 *
 * Write your own where the ready-made ones do not fit; `torture` of `@tw/iostream/testing` examines it.
 *
 * @example
 * // Frames of two digits that count the characters behind them: "05hello".
 * const counted: Codec<string> = {
 *   maxFrameSize: 101,
 *   measure(bytes, start, end) {
 *     if (end - start < 2) return UNKNOWN;
 *     const digits = fromLatin1(bytes, start, start + 2);
 *     if (!/^\d\d$/.test(digits)) throw new MalformedFrameError("Not a count"); // "-2" and " 5" are numbers too
 *     return 2 + Number(digits);
 *   },
 *   decode: (bytes, start, end) => fromLatin1(bytes, start + 2, end),
 *   encode(text) {
 *     // Three digits would be two and a part of the text: the peer would find other messages than were sent.
 *     if (text.length > 99) throw new RangeError("A text has 99 characters at most");
 *     return latin1(`${String(text.length).padStart(2, "0")}${text}`);
 *   },
 * };
 */
export interface Codec<T, S = T> {
  /**
   * Bytes of the largest frame, framing included: a finite integer of at least 1. A larger one ends in
   * `FrameTooLargeError` as soon as its size is known, before it is buffered; one of unknown size after that many bytes.
   */
  readonly maxFrameSize: number;

  /**
   * Tells how many bytes the frame has that begins at `start`, framing included: {@link UNKNOWN}, or a size, which may
   * be more than the `end - start` bytes that are there; it is asked again when that many are. Looks at nothing outside
   * of `[start, end)` and changes nothing. An earlier call for the same frame saw its first `seen` bytes and was not
   * content. The answer follows from the bytes of the frame alone, never from how they came or what comes behind them.
   *
   * @throws MalformedFrameError when no frame can begin like this
   */
  measure(bytes: Uint8Array, start: number, end: number, seen: number): number;

  /**
   * The message of the frame `bytes[start, end)`. With `own` nothing of it may refer to `bytes`; without, it may, and is
   * then valid as long as they are.
   *
   * @throws MalformedFrameError when the frame says nothing that makes sense
   */
  decode(bytes: Uint8Array, start: number, end: number, own: boolean): T;

  /**
   * The frame of a message, as bytes of its own: what a peer with the same codec takes for this one message. A stream
   * sends none that is larger than `maxFrameSize`, whether this refused it or not.
   *
   * @throws TypeError, RangeError for a message that cannot be framed: too large for the field that holds its length, with
   *   its delimiter in it; FrameTooLargeError beyond `maxFrameSize`
   */
  encode(message: S): Uint8Array;

  /**
   * Optional and for speed alone: decodes whole frames from `start` on, as many as are cheap at once, none that `measure`
   * or `decode` would refuse. Adds each message and its size to the lists. Messages may not refer to `bytes`.
   */
  run?(bytes: Uint8Array, start: number, end: number, messages: T[], sizes: number[]): void;
}

/** {@link Codec.measure} with the limit kept; `least` is the smallest frame that makes sense. */
export function measureFrame(
  codec: Codec<unknown, never>,
  bytes: Uint8Array,
  start: number,
  end: number,
  seen: number,
  least = 1,
): number {
  const { maxFrameSize } = codec;
  // It sees no more than a frame may have: what lies behind must not decide which error it is.
  const size = codec.measure(bytes, start, Math.min(end, start + maxFrameSize), seen);
  if (size === UNKNOWN) {
    if (end - start >= maxFrameSize) throw new FrameTooLargeError(`more than ${maxFrameSize}`, maxFrameSize);
  } else if (size > maxFrameSize) throw new FrameTooLargeError(String(size), maxFrameSize);
  // A frame of no bytes would be found for ever, and behind one of 1.5 bytes nothing is where it was.
  else if (!(Number.isInteger(size) && size >= least))
    throw new CodecError(`A codec measured a frame of ${size} bytes`);
  return size;
}

/** {@link Codec.encode} with the limit kept, also where the codec does not. */
export function encodeFrame<S>(codec: Codec<unknown, S>, message: S): Uint8Array {
  const frame = codec.encode(message);
  checkSent(frame.length, codec.maxFrameSize);
  return frame;
}
