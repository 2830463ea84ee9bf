// The examination of a Codec: messages go in, frames are chopped in every way, and what comes out must be the same.
//
// The cases have names and fail by throwing, so that any test runner runs them:
//
//   for (const { name, run } of torture(codec, samples)) it(name, run);

import { concatBytes } from "@tw/util";
import { type Codec, measureFrame } from "../framing/codec.js";
import { FrameDecoder } from "../framing/frame-decoder.js";
import { byteByByte, decodeChopped, every, pieces, show, type Transcript } from "./chopping.js";
import { enlarged } from "./enlarged.js";
import { garbage, seededRandom } from "./garbage.js";
import { isSame } from "./same.js";

/** One thing that must hold; throws when it does not. */
export interface TortureCase {
  readonly name: string;
  run(): void;
}

/** Options of {@link torture}. */
export interface TortureOptions<T, S> {
  /**
   * The same codec with another limit, made as it is made: then what it sends is examined at that limit too. It may refuse
   * with a `RangeError` one byte less than the smallest frame of the samples: nothing fits that limit. @default the
   * codec with its `maxFrameSize` replaced, which of a codec that read its limit earlier limits the receiving half alone
   */
  readonly withLimit?: (maxFrameSize: number) => Codec<T, S>;
  /**
   * Messages that may not fit a frame: too large, too many, with a delimiter in them. The codec refuses each, or what it
   * makes of it is one frame of this message. @default the samples that are texts or bytes, repeated beyond `maxFrameSize`
   */
  readonly doubtful?: Iterable<S>;
  /** What a sample is when it arrives, where that is not the sample itself. */
  readonly received?: (sample: S) => T;
  /** Of the random bytes: the same seed, the same bytes. @default 1 */
  readonly seed?: number;
  /** How many pieces of garbage are fed. @default 200 */
  readonly rounds?: number;
}

/** Bytes of all frames together above which not every split point is tried, but those near an end of a frame. */
const EVERY_SPLIT_UP_TO = 2048;

/**
 * The cases that every codec has to pass, made from messages that it can send: two or more different ones, small, with
 * the shortest and the longest kind of frame among them.
 *
 * @example
 * import { it } from "node:test";
 *
 * for (const { name, run } of torture(lengthPrefixed({ prefix: "u8", maxFrameSize: 64 }), [utf8("a"), utf8("")]))
 *   it(name, run);
 */
export function torture<T, S = T>(
  codec: Codec<T, S>,
  samples: readonly S[],
  options: TortureOptions<T, S> = {},
): TortureCase[] {
  if (samples.length === 0) throw new RangeError("torture needs samples");
  const { seed = 1, rounds = 200 } = options;
  const received = options.received ?? ((sample: S) => sample as unknown as T);
  const withLimit = options.withLimit ?? ((maxFrameSize: number) => limited(codec, maxFrameSize));
  const framed = (): Uint8Array[] => samples.map((sample) => codec.encode(sample));
  const expected = (): T[] => samples.map(received);
  const cases: TortureCase[] = [];
  const test = (name: string, run: () => void): void => void cases.push({ name, run });

  test("what is sent is what is received, each message alone", () => {
    for (const [i, frame] of framed().entries()) {
      const transcript = decodeChopped(codec, [frame]);
      expectSame(`sample ${i}`, transcript, { messages: [received(samples[i] as S)], end: "end" });
    }
  });

  test("coalesced messages come apart", () => {
    expectSame("all at once", decodeChopped(codec, [concatBytes(framed())]), whole(expected()));
  });

  test("every split point gives the same messages", () => {
    const frames = framed();
    const wire = concatBytes(frames);
    for (const at of splitPoints(frames))
      expectSame(`split at ${at}`, decodeChopped(codec, pieces(wire, [at])), whole(expected()));
  });

  test("one byte at a time gives the same messages", () => {
    expectSame("dripped", decodeChopped(codec, byteByByte(concatBytes(framed()))), whole(expected()));
  });

  test("a message is there as soon as its last byte is, and not before", () => {
    const decoder = new FrameDecoder(codec);
    for (const [i, frame] of framed().entries()) {
      for (const [at, piece] of byteByByte(frame).entries()) {
        decoder.push(piece);
        const there = decoder.next();
        decoder.keep();
        if (there !== (at === frame.length - 1))
          throw new Error(
            `sample ${i}: ${there ? "there after" : "missing after"} byte ${at + 1} of ${frame.length}`,
          );
      }
    }
  });

  test("a message that may be kept outlives the bytes it came in, and these are left as they were", () => {
    const wire = concatBytes(framed());
    for (const chop of [[wire], byteByByte(wire), every(wire, 3)]) {
      const decoder = new FrameDecoder(codec);
      const messages: T[] = [];
      for (const piece of chop) {
        const lent = new Uint8Array(piece);
        decoder.push(lent);
        while (decoder.next()) messages.push(decoder.message);
        if (!isSame(lent, piece)) throw new Error("the codec changed the bytes it was lent");
        lent.fill(0xa5);
      }
      expectSame("after the bytes were overwritten", { messages, end: "end" }, whole(expected()));
    }
  });

  test("a message that is a view is right while it is valid", () => {
    for (const chop of [[concatBytes(framed())], every(concatBytes(framed()), 5)]) {
      const decoder = new FrameDecoder(codec, { own: false });
      let count = 0;
      for (const piece of chop) {
        decoder.push(piece);
        for (; decoder.next(); count++) {
          if (!isSame(decoder.message, received(samples[count] as S)))
            throw new Error(`message ${count} is ${show(decoder.message)}`);
        }
      }
      if (count !== samples.length) throw new Error(`${count} messages of ${samples.length}`);
    }
  });

  test("nothing outside of the frame is looked at", () => {
    for (const [i, frame] of framed().entries()) {
      for (let length = 1; length <= frame.length; length++) {
        const answers = [0x00, 0x0a, 0xff].map((fill) => {
          const around = new Uint8Array(frame.length + 16).fill(fill);
          around.set(frame.subarray(0, length), 8);
          return measureFrame(codec, around, 8, 8 + length, 0);
        });
        // The bytes that will follow are the likeliest to be taken for bytes that are there.
        answers.push(measureFrame(codec, frame, 0, length, 0));
        if (new Set(answers).size > 1) throw new Error(`sample ${i}: measured ${answers} at ${length} bytes`);
      }
    }
  });

  test("a frame is measured alike however much of it was seen", () => {
    for (const [i, frame] of framed().entries()) {
      for (let seen = 0; seen < frame.length; seen++) {
        const size = measureFrame(codec, frame, 0, frame.length, seen);
        if (size !== frame.length)
          throw new Error(`sample ${i}: measured ${size} after ${seen} bytes, is ${frame.length}`);
      }
    }
  });

  test("the end of the stream is clean between messages and an error at every byte within", () => {
    const frames = framed();
    const wire = concatBytes(frames);
    const ends = new Set(endsOf(frames));
    for (let at = 0; at <= wire.length; at++) {
      const { end } = decodeChopped(codec, [wire.subarray(0, at)]);
      const right = ends.has(at) ? "end" : "ERR_TW_FRAME_INCOMPLETE";
      if (end !== right) throw new Error(`after ${at} bytes: ${end} and not ${right}`);
    }
  });

  test("a frame of the limit passes, and one byte more does not, received whole or dripped, or sent", () => {
    const frames = framed();
    const least = Math.min(...frames.map(({ length }) => length));
    for (const [i, frame] of frames.entries()) {
      const at = decodeChopped(withLimit(frame.length), [frame]);
      expectSame(`sample ${i} at its limit`, at, { messages: [received(samples[i] as S)], end: "end" });
      // Without, the codec has another limit than it shows: what it sends says nothing.
      if (options.withLimit !== undefined) withLimit(frame.length).encode(samples[i] as S);
      if (frame.length === 1) continue;
      const tight = madeOrRefused(() => withLimit(frame.length - 1), frame.length === least);
      if (tight === undefined) continue;
      for (const chop of [[frame], byteByByte(frame)]) {
        const { messages, end } = decodeChopped(tight, chop);
        if (messages.length > 0 || end !== "ERR_TW_FRAME_TOO_LARGE")
          throw new Error(`sample ${i} beyond its limit: ${messages.length} messages, then ${end}`);
      }
      if (options.withLimit === undefined) continue;
      if (codeOf(() => tight.encode(samples[i] as S)) !== "ERR_TW_FRAME_TOO_LARGE")
        throw new Error(`sample ${i} beyond its limit was framed`);
    }
  });

  test("a message that no frame can hold is refused, not sent as another one", () => {
    for (const message of options.doubtful ?? enlarged(samples, codec.maxFrameSize)) {
      const frame = framedOrRefused(codec, message);
      if (frame === undefined) continue;
      if (frame.length > codec.maxFrameSize)
        throw new Error(`framed in ${frame.length} bytes, limit ${codec.maxFrameSize}: ${show(message)}`);
      const arrived = decodeChopped(codec, [frame]);
      expectSame("where it is sent", arrived, { messages: [received(message)], end: "end" });
    }
  });

  test("endless input never makes a decoder hold more than its limit", () => {
    for (const frame of [...framed(), Uint8Array.of(0), Uint8Array.of(0x61), Uint8Array.of(0xff)])
      for (const start of [frame, frame.subarray(0, -1)]) endless(codec, start);
  });

  test("garbage gives messages or a framing error, the same however it is chopped", () => {
    const random = seededRandom(seed);
    const frames = framed();
    // Also where frames are about as large as they may be: which error it is must not depend on what lies beyond.
    const sizes = frames.map(({ length }) => length).sort((a, b) => a - b);
    const tight = withLimit(sizes[sizes.length >> 1] as number);
    let round = 0;
    for (const bytes of garbage(frames, rounds, random)) {
      const of = round++ % 3 === 0 ? tight : codec;
      const once = decodeChopped(of, [bytes]);
      if (once.end !== "end" && !once.end.startsWith("ERR_TW_FRAME_"))
        throw new Error(`${show(bytes)} ended in ${once.end}`);
      for (const chop of [byteByByte(bytes), every(bytes, 7), every(bytes, 1 + random(40))])
        expectSame(show(bytes), decodeChopped(of, chop), once);
    }
  });

  return cases;
}

/** The same codec with another limit. */
function limited<T, S>(codec: Codec<T, S>, maxFrameSize: number): Codec<T, S> {
  return Object.create(codec, {
    maxFrameSize: { value: maxFrameSize },
    // It may have read the limit that the codec was made with.
    run: { value: undefined },
  }) as Codec<T, S>;
}

/** A codec with a limit that it may refuse when it is made, if nothing fits. */
function madeOrRefused<C>(make: () => C, mayRefuse: boolean): C | undefined {
  try {
    return make();
  } catch (error) {
    if (mayRefuse && error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What a codec throws about a message is its own choice: it may come from whoever translates messages. */
function framedOrRefused<S>(codec: Codec<unknown, S>, message: S): Uint8Array | undefined {
  try {
    return codec.encode(message);
  } catch {
    return undefined;
  }
}

function whole<T>(messages: T[]): Transcript<T> {
  return { messages, end: "end" };
}

function endsOf(frames: readonly Uint8Array[]): number[] {
  let at = 0;
  return [0, ...frames.map((frame) => (at += frame.length))];
}

function splitPoints(frames: readonly Uint8Array[]): number[] {
  const ends = endsOf(frames);
  const total = ends[ends.length - 1] as number;
  const all = Array.from({ length: total + 1 }, (_, at) => at);
  if (total <= EVERY_SPLIT_UP_TO) return all;
  return all.filter((at) => at % 61 === 0 || ends.some((end) => Math.abs(end - at) <= 16));
}

/** Repeats `bytes` until the codec refuses them, or long enough. */
function endless(codec: Codec<unknown, never>, bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  const decoder = new FrameDecoder(codec);
  const total = Math.min(codec.maxFrameSize * 2 + 64, 1 << 20);
  try {
    for (let fed = 0; fed < total; fed += bytes.length) {
      decoder.push(bytes);
      while (decoder.next());
      if (decoder.length >= codec.maxFrameSize + bytes.length)
        throw new Error(`the decoder holds ${decoder.length} bytes, limit ${codec.maxFrameSize}`);
    }
  } catch (error) {
    const { code } = error as { code?: string };
    if (!code?.startsWith("ERR_TW_FRAME_")) throw error;
  }
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return (error as { code?: string }).code;
  }
  return undefined;
}

function expectSame(what: string, got: Transcript<unknown>, expected: Transcript<unknown>): void {
  if (!isSame(got, expected)) throw new Error(`${what}: got ${show(got)}, expected ${show(expected)}`);
}
