// Output: messages in, chunks out. Whether anything may be sent at all is decided in machine.ts; here is how.

import { utf8 } from "@tw/util";
import { CLOSE_NO_CODE, CLOSE_NORMAL, isCloseCode } from "./close-codes.js";
import { encode, frame, isAscii, type WireChunks } from "./frame.js";
import { BINARY, CLOSE, CONTINUATION, type PING, type PONG, TEXT } from "./opcodes.js";

/** The longest reason of a Close frame, in bytes of UTF-8: 125 less the code. */
const MAX_REASON = 123;

/** Writes the frames of one end. Keeps no state but where the masking keys come from. */
export class MessageWriter {
  readonly #maskingKey: (() => number) | undefined;
  readonly #fragmentSize: number;

  /** `maskingKey`: asked once per frame, absent for a server. */
  constructor(maskingKey: (() => number) | undefined, fragmentSize: number) {
    this.#maskingKey = maskingKey;
    this.#fragmentSize = fragmentSize;
  }

  text(text: string): WireChunks {
    if (isAscii(text) && text.length <= this.#fragmentSize)
      return encode(TEXT, text, true, this.#maskingKey?.());
    return this.#message(TEXT, utf8(text));
  }

  binary(bytes: Uint8Array): WireChunks {
    return this.#message(BINARY, bytes);
  }

  control(opcode: typeof PING | typeof PONG, payload: Uint8Array | string): WireChunks {
    return frame(opcode, payload, { maskingKey: this.#maskingKey?.() });
  }

  /** `code` 1005, or no code and no reason: an empty Close frame. */
  close(code: number | undefined, reason: string): WireChunks {
    const payload = closePayload(code, reason);
    return encode(CLOSE, payload, true, this.#maskingKey?.());
  }

  #message(opcode: number, bytes: Uint8Array): WireChunks {
    const size = this.#fragmentSize;
    if (bytes.length <= size) return encode(opcode, bytes, true, this.#maskingKey?.());
    const chunks: WireChunks = [];
    for (let at = 0; at < bytes.length; at += size) {
      const fin = at + size >= bytes.length;
      const piece = bytes.subarray(at, at + size);
      chunks.push(...encode(at === 0 ? opcode : CONTINUATION, piece, fin, this.#maskingKey?.()));
    }
    return chunks;
  }
}

function closePayload(code: number | undefined, reason: string): Uint8Array {
  const text = utf8(reason);
  if (text.length > MAX_REASON)
    throw new RangeError(`Close reason has ${text.length} bytes, limit ${MAX_REASON}`);
  if ((code === undefined || code === CLOSE_NO_CODE) && text.length === 0) return text;
  const number = code ?? CLOSE_NORMAL;
  if (!isCloseCode(number)) throw new RangeError(`Invalid close code ${number}`);
  const payload = new Uint8Array(2 + text.length);
  payload[0] = number >>> 8;
  payload[1] = number & 0xff;
  payload.set(text, 2);
  return payload;
}
