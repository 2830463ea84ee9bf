// Feeding a codec bytes in pieces, and writing down what came of it.

import type { Codec } from "../framing/codec.js";
import { FrameDecoder } from "../framing/frame-decoder.js";

/** What came out of a stream: its messages, and "end" or the code of the error that it ended in. */
export interface Transcript<T> {
  readonly messages: readonly T[];
  readonly end: string;
}

/** Decodes `chop`, each piece in memory of its own that is overwritten when the decoder has had it. */
export function decodeChopped<T>(codec: Codec<T, never>, chop: readonly Uint8Array[]): Transcript<T> {
  const decoder = new FrameDecoder(codec);
  const messages: T[] = [];
  try {
    for (const piece of chop) {
      const lent = new Uint8Array(piece);
      decoder.push(lent);
      while (decoder.next()) messages.push(decoder.message);
      lent.fill(0x5a);
    }
    decoder.end();
  } catch (error) {
    const { code, name } = error as { code?: string; name?: string };
    return { messages, end: code ?? String(name) };
  }
  return { messages, end: "end" };
}

/** `bytes` cut at these points. */
export function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const points = [0, ...cuts, bytes.length];
  return points.slice(1).map((end, i) => bytes.subarray(points[i], end));
}

export function byteByByte(bytes: Uint8Array): Uint8Array[] {
  return every(bytes, 1);
}

/** `bytes` in pieces of `size`. */
export function every(bytes: Uint8Array, size: number): Uint8Array[] {
  const chop: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) chop.push(bytes.subarray(at, at + size));
  return chop;
}

/** A value in few words, for a message. */
export function show(value: unknown): string {
  const text =
    value instanceof Uint8Array ? `<${Buffer.from(value).toString("hex")}>` : JSON.stringify(value, hex);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function hex(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? `<${Buffer.from(value).toString("hex")}>` : value;
}
