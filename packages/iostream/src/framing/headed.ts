// Messages whose head decides what follows it.

import { type Codec, encodeFrame, measureFrame, UNKNOWN } from "./codec.js";
import { malformed } from "./errors.js";
import { checkBytesOption, checkSent, type LimitedOptions } from "./payload.js";

/** A head and what it announced. */
export interface Headed<H, B> {
  readonly head: H;
  readonly body: B;
}

/** Options of {@link headed}. */
export interface HeadedOptions<H, B> extends LimitedOptions {
  /** The codec of heads. */
  readonly head: Codec<H>;
  /**
   * Says which codec a head's body has; `fixed(0)` for none. It has no effects, as it may be asked about one head more
   * than once, and the same head always has the same codec. What it throws about a head that a peer sent becomes the
   * `cause` of a `MalformedFrameError`. The head it is given is valid during the call.
   */
  readonly body: (head: H) => Codec<B>;
}

/**
 * Messages of two parts, where the first says what the second is: a type, a length, a version. The limits of both codecs
 * hold, and `maxFrameSize` holds for both together.
 *
 * @example
 * // One byte of type; 1 is a line of text, 2 is a number of four bytes.
 * const codec = headed({
 *   head: map(fixed(1), { decode: (bytes) => bytes[0], encode: (type) => Uint8Array.of(type) }),
 *   body: (type) => (type === 1 ? delimited("\n", { maxFrameSize: 512 }) : fixed(4)),
 *   maxFrameSize: 513,
 * });
 */
export function headed<H, B>(options: HeadedOptions<H, B>): Codec<Headed<H, B>> {
  const { head, body } = options;
  const maxFrameSize = checkBytesOption("maxFrameSize", options.maxFrameSize, 1);
  const bodyOf = (of: H): Codec<B> => {
    try {
      return body(of);
    } catch (error) {
      throw malformed("Head announces no known body", error);
    }
  };
  return {
    maxFrameSize,
    measure(bytes, start, end, seen) {
      // What was seen may have had all of the head: it is looked at anew.
      const size = measureFrame(head, bytes, start, end, 0);
      // Not all of the head: its size, if that is known, is what is needed for another look.
      if (size === UNKNOWN || start + size > end) return size;
      const at = start + size;
      const rest = measureFrame(
        bodyOf(head.decode(bytes, start, at, false)),
        bytes,
        at,
        end,
        Math.max(0, seen - size),
        0,
      );
      return rest === UNKNOWN ? UNKNOWN : size + rest;
    },
    decode(bytes, start, end, own) {
      const at = start + head.measure(bytes, start, end, 0);
      const first = head.decode(bytes, start, at, own);
      return { head: first, body: bodyOf(first).decode(bytes, at, end, own) };
    },
    encode(message) {
      const first = encodeFrame(head, message.head);
      const second = encodeFrame(body(message.head), message.body);
      checkSent(first.length + second.length, maxFrameSize);
      const frame = new Uint8Array(first.length + second.length);
      frame.set(first);
      frame.set(second, first.length);
      return frame;
    },
  };
}
