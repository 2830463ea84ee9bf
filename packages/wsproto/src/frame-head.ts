// Reads the head of a frame, RFC 6455 §5.2, byte by byte, so that it does not matter where the input is cut.
//
//   FIN RSV RSV RSV opcode(4) | MASK length(7) | 0, 2 or 8 bytes of length | 0 or 4 bytes of masking key
//
// Everything that a head alone can get wrong is found here, at the byte that is wrong. What depends on the frames
// before (fragmentation, sizes) is the message reader's.

import { isControl, isOpcode, MAX_CONTROL_PAYLOAD } from "./opcodes.js";

const FIRST = 0;
const SECOND = 1;
const LENGTH = 2;
const KEY = 3;
const DONE = 4;

/** The head of one frame after another. Fields hold once {@link FrameHead.read} has answered true. */
export class FrameHead {
  fin = false;
  opcode = 0;
  length = 0;
  /** The masking key, most significant byte first; 0 where the frame is not masked. */
  key = 0;
  /** What is wrong with the head; nothing may be read after that. */
  fault: string | undefined = undefined;
  /** Where the next byte is. */
  at = 0;

  readonly #masked: boolean;
  #step = FIRST;
  #more = 0;
  #short = 0;

  /** `masked`: whether the peer must mask (it is a client) or must not (it is a server). */
  constructor(masked: boolean) {
    this.#masked = masked;
  }

  /** Starts with the next frame. */
  reset(): void {
    this.#step = FIRST;
  }

  /** Reads `view` from {@link at} to `end`; true when the head is complete, false when more is needed or `fault` is set. */
  read(view: Uint8Array, end: number): boolean {
    while (this.at < end) {
      const byte = view[this.at++] as number;
      switch (this.#step) {
        case FIRST:
          this.fault = this.#first(byte);
          break;
        case SECOND:
          this.fault = this.#second(byte);
          break;
        case LENGTH:
          this.fault = this.#lengthByte(byte);
          break;
        default:
          this.key = (this.key << 8) | byte;
          if (--this.#more === 0) this.#step = DONE;
      }
      if (this.fault !== undefined) return false;
      if (this.#step === DONE) return true;
    }
    return false;
  }

  #first(byte: number): string | undefined {
    this.fin = (byte & 0x80) !== 0;
    this.opcode = byte & 0x0f;
    // RFC 6455 §5.2: RSV bits MUST be 0 unless an extension is negotiated that defines them.
    if ((byte & 0x70) !== 0) return "Reserved bits are set";
    if (!isOpcode(this.opcode)) return `Unknown opcode ${this.opcode}`;
    // RFC 6455 §5.5: control frames MUST NOT be fragmented.
    if (!this.fin && isControl(this.opcode)) return "Fragmented control frame";
    this.#step = SECOND;
    return undefined;
  }

  #second(byte: number): string | undefined {
    // RFC 6455 §5.1: a server MUST close on an unmasked frame, a client on a masked one.
    if (((byte & 0x80) !== 0) !== this.#masked)
      return this.#masked ? "Frame is not masked" : "Frame is masked";
    this.#short = byte & 0x7f;
    // RFC 6455 §5.5: control frames MUST have a payload of 125 bytes or less.
    if (this.#short > MAX_CONTROL_PAYLOAD && isControl(this.opcode)) return "Control frame is too long";
    if (this.#short < 126) {
      this.length = this.#short;
      this.#lengthDone();
    } else {
      this.length = 0;
      this.#more = this.#short === 126 ? 2 : 8;
      this.#step = LENGTH;
    }
    return undefined;
  }

  #lengthByte(byte: number): string | undefined {
    // RFC 6455 §5.2: the most significant bit of a 64-bit length MUST be 0.
    if (this.#more === 8 && byte > 0x7f) return "Length has its top bit set";
    this.length = this.length * 256 + byte;
    if (--this.#more > 0) return undefined;
    // RFC 6455 §5.2: the minimal number of bytes MUST be used to encode the length.
    if (this.length < (this.#short === 126 ? 126 : 65536)) return "Length is not minimally encoded";
    this.#lengthDone();
    return undefined;
  }

  #lengthDone(): void {
    this.key = 0;
    this.#more = 4;
    this.#step = this.#masked ? KEY : DONE;
  }
}
