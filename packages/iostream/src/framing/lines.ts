// Lines of text.

import { isAscii } from "node:buffer";
import { fromUtf8 } from "@tw/util";
import { type Codec, UNKNOWN } from "./codec.js";
import { MalformedFrameError } from "./errors.js";
import { findByte } from "./find-byte.js";
import { latin1Text } from "./latin1-text.js";
import { checkBytesOption, checkSent, checkWellFormed, type LimitedOptions } from "./payload.js";

const LF = 10;
const CR = 13;

/** Bytes that become text at once: what is kept of a few short lines keeps no more than this alive. */
const RUN_SIZE = 8192;

/** Options of {@link lines}. */
export interface LinesOptions extends LimitedOptions {
  /**
   * Lines end with CRLF and with nothing else: a CR or an LF alone is refused, where peers that disagree about it could
   * be played off against each other. Without, LF ends a line and a CR before it belongs to the end. Lines are sent
   * with CRLF if strict, else with LF.
   * @default false
   */
  readonly strict?: boolean;
}

/**
 * Messages of one line of UTF-8, without its end. Malformed UTF-8 is refused. Sending a line that contains an end of
 * line is refused: it would be two.
 *
 * @example
 * const replies = stream.frames(lines({ maxFrameSize: 4096, strict: true }));
 * replies.send("HELO example.org");
 */
export function lines(options: LinesOptions): Codec<string> {
  const { strict = false } = options;
  const ending = strict ? "\r\n" : "\n";
  const maxFrameSize = checkBytesOption("maxFrameSize", options.maxFrameSize, ending.length);
  return {
    maxFrameSize,
    measure(bytes, start, end, seen) {
      const at = findByte(bytes, LF, start + seen, end);
      if (strict) checkReturns(bytes, start, seen, at === -1 ? end : at, at !== -1);
      return at === -1 ? UNKNOWN : at + 1 - start;
    },
    decode(bytes, start, end) {
      const stop = end - 1 > start && bytes[end - 2] === CR ? end - 2 : end - 1;
      const line = bytes.subarray(start, stop);
      if (isAscii(line)) return latin1Text(line, 0, line.length);
      try {
        return fromUtf8(line, { fatal: true });
      } catch (error) {
        throw new MalformedFrameError("Line is not UTF-8", error);
      }
    },
    encode(line) {
      if (typeof line !== "string") throw new TypeError(`A line is a string, got ${typeof line}`);
      checkWellFormed(line);
      // The receiver would take a CR at the end for a part of the end.
      if (line.includes("\n") || (strict ? line.includes("\r") : line.endsWith("\r")))
        throw new RangeError("A line must not contain an end of line");
      const frame = Buffer.from(line + ending, "utf8");
      checkSent(frame.length, maxFrameSize);
      return new Uint8Array(frame);
    },
    run(bytes, start, end, messages, sizes) {
      const piece = bytes.subarray(start, Math.min(end, start + RUN_SIZE));
      if (!isAscii(piece)) return;
      const text = latin1Text(piece, 0, piece.length);
      for (let at = 0, next = text.indexOf("\n"); next !== -1; next = text.indexOf("\n", at)) {
        const size = next + 1 - at;
        const cr = next > at && text.charCodeAt(next - 1) === CR;
        if (size > maxFrameSize || (strict && (!cr || text.indexOf("\r", at) !== next - 1))) return;
        messages.push(text.slice(at, cr ? next - 1 : next));
        sizes.push(size);
        at = next + 1;
      }
    },
  };
}

/** @throws MalformedFrameError unless each CR in what is new has its LF, and an LF at `stop` its CR */
function checkReturns(bytes: Uint8Array, start: number, seen: number, stop: number, ended: boolean): void {
  // A CR was the last byte seen: its LF must follow.
  const from = start + Math.max(0, seen - 1);
  const at = findByte(bytes, CR, from, stop);
  if (at !== -1 && at !== stop - 1) throw new MalformedFrameError("A CR without its LF");
  if (ended && at === -1) throw new MalformedFrameError("A line ends with LF alone");
}
