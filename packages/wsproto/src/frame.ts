// Writes single frames, RFC 6455 §5.2. A server's head is a latin1 string beside the payload, which is handed on as it
// is; a client masks, and therefore copies, so its frame is one array.

import { utf8 } from "@tw/util";
import { maskInto } from "./mask.js";
import { isControl, isOpcode, MAX_CONTROL_PAYLOAD, type Opcode } from "./opcodes.js";

/** Bytes to send, in order. A string is latin1, one byte per character. */
export type WireChunks = (Uint8Array | string)[];

/** How a frame is written. */
export interface FrameOptions {
  /** Whether this frame ends its message. @default true */
  readonly fin?: boolean;
  /** The masking key of a client's frame, 32 bits, most significant byte first. Absent: not masked. */
  readonly maskingKey?: number | undefined;
}

/** Up to this length text is tested for being ASCII, which needs no encoding; beyond, encoding at once is cheaper. */
const ASCII_TEST = 512;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII, control characters included
const NOT_ASCII = /[^\x00-\x7f]/;

/**
 * Encodes one frame. Text becomes UTF-8, a lone surrogate U+FFFD. Unmasked bytes are not copied: they stay the caller's
 * and must not change until they are sent.
 *
 * @throws RangeError for an unknown opcode, and for a control frame that is longer than 125 bytes or not final
 * @example
 * frame(TEXT, "hi"); // ["\x81\x02hi"]
 */
export function frame(opcode: Opcode, payload: Uint8Array | string, options: FrameOptions = {}): WireChunks {
  const fin = options.fin ?? true;
  if (!isOpcode(opcode)) throw new RangeError(`Unknown opcode ${opcode}`);
  const plain = typeof payload === "string" && isAscii(payload);
  const bytes = typeof payload === "string" && !plain ? utf8(payload) : payload;
  if (isControl(opcode) && (!fin || bytes.length > MAX_CONTROL_PAYLOAD)) {
    throw new RangeError(
      `A control frame is final and has at most 125 bytes: ${bytes.length} bytes, fin ${fin}`,
    );
  }
  return encode(opcode, bytes, fin, options.maskingKey);
}

/** `payload` as bytes, or as a latin1 string that is ASCII. */
export function encode(
  opcode: number,
  payload: Uint8Array | string,
  fin: boolean,
  maskingKey: number | undefined,
): WireChunks {
  const first = fin ? 0x80 | opcode : opcode;
  if (maskingKey !== undefined) {
    return [masked(first, typeof payload === "string" ? utf8(payload) : payload, maskingKey)];
  }
  const head = headOf(first, payload.length);
  if (typeof payload === "string") return [head + payload];
  return payload.length === 0 ? [head] : [head, payload];
}

/** Text that can go out as latin1 without encoding. */
export function isAscii(text: string): boolean {
  return text.length <= ASCII_TEST && !NOT_ASCII.test(text);
}

function headOf(first: number, length: number): string {
  if (length < 126) return String.fromCharCode(first, length);
  if (length < 65536) return String.fromCharCode(first, 126, length >>> 8, length & 0xff);
  const high = Math.floor(length / 0x1_0000_0000);
  const low = length >>> 0;
  return String.fromCharCode(first, 127, ...bytesOf(high), ...bytesOf(low));
}

function masked(first: number, payload: Uint8Array, key: number): Uint8Array {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 65536 ? 2 : 8;
  const start = 6 + lengthBytes;
  const bytes = new Uint8Array(start + length);
  bytes[0] = first;
  bytes[1] = 0x80 | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  for (let i = 0, rest = length; i < lengthBytes; i++, rest = Math.floor(rest / 256))
    bytes[start - 5 - i] = rest;
  bytes.set(bytesOf(key), start - 4);
  maskInto(bytes, start, payload, 0, length, key, 0);
  return bytes;
}

/** The four bytes of a 32-bit number, most significant first. */
function bytesOf(word: number): [number, number, number, number] {
  return [word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff];
}
