// Codecs made of codecs: what a payload means.

import { checkFunction } from "@tw/util";
import type { Codec } from "./codec.js";
import { malformed } from "./errors.js";

/** Both directions of a meaning: `A` is what is on the wire's side, `B` on the program's. */
export interface Mapping<A, B> {
  /** What it throws becomes the `cause` of a `MalformedFrameError`. `from` is as long-lived as the message has to be. */
  decode(from: A): B;
  /** What it throws is the sender's. */
  encode(message: B): A;
}

/**
 * A codec whose messages are those of `codec`, translated.
 *
 * @example
 * const dates = map(fixed(8), {
 *   decode: (bytes) => new Date(Number(view(bytes).getBigUint64(0))),
 *   encode: (date) => bigEndian(date.getTime()),
 * });
 */
export function map<A, B>(codec: Codec<A>, mapping: Mapping<A, B>): Codec<B> {
  checkFunction("decode of a mapping", mapping?.decode);
  checkFunction("encode of a mapping", mapping?.encode);
  return {
    maxFrameSize: codec.maxFrameSize,
    measure: (bytes, start, end, seen) => codec.measure(bytes, start, end, seen),
    decode(bytes, start, end, own) {
      const from = codec.decode(bytes, start, end, own);
      try {
        return mapping.decode(from);
      } catch (error) {
        throw malformed("Message makes no sense", error);
      }
    },
    encode: (message) => codec.encode(mapping.encode(message)),
  };
}

/**
 * {@link map}, several times: from the wire to the program, left to right.
 *
 * @example
 * const calls = pipe(lengthPrefixed({ maxFrameSize: 65536 }), json<Call>());
 */
export function pipe<A, B>(codec: Codec<A>, first: Mapping<A, B>): Codec<B>;
export function pipe<A, B, C>(codec: Codec<A>, first: Mapping<A, B>, second: Mapping<B, C>): Codec<C>;
export function pipe<A, B, C, D>(
  codec: Codec<A>,
  first: Mapping<A, B>,
  second: Mapping<B, C>,
  third: Mapping<C, D>,
): Codec<D>;
export function pipe(codec: Codec<unknown>, ...mappings: Mapping<unknown, unknown>[]): Codec<unknown> {
  return mappings.reduce((inner, mapping) => map(inner, mapping), codec);
}
