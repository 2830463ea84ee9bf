// Input: bytes in, events out. Heads come from FrameHead; here are the rules between frames (RFC 6455 §5.4), the limits,
// and the payloads. A payload that lies whole in the view is unmasked once, to where it is wanted; a piece of one goes to
// the message buffer. Nothing is read again, so the cost of an input does not depend on how it was cut.

import { concatBytes, EMPTY_BYTES } from "@tw/util";
import {
  CLOSE_INVALID_DATA,
  CLOSE_NO_CODE,
  CLOSE_PROTOCOL_ERROR,
  CLOSE_TOO_BIG,
  isCloseCode,
} from "./close-codes.js";
import type { FailEvent, WebSocketEvent } from "./events.js";
import { FrameHead } from "./frame-head.js";
import { maskInto } from "./mask.js";
import { MessageBuffer } from "./message-buffer.js";
import { CLOSE, CONTINUATION, isControl, PING, TEXT } from "./opcodes.js";
import { decodeMasked, decodeText } from "./text-decoder.js";
import { Utf8Validator } from "./utf8-validator.js";

/** What the reader may spend on one message. */
export interface MessageLimits {
  readonly maxMessageSize: number;
  readonly maxFragments: number;
}

const INVALID_UTF8 = "Text is not valid UTF-8";
/** Beyond `maxMessageSize`, this much may be waiting unread. */
const UNREAD_ALLOWANCE = 65536;

/** Reads the frames of one peer. After a close or fail event it reads nothing more. */
export class MessageReader {
  readonly #limits: MessageLimits;
  readonly #head: FrameHead;
  readonly #message = new MessageBuffer();
  readonly #text = new Utf8Validator();
  /** Payload of the control frame that is being read; whoever pulls its event gets it. */
  #control: Uint8Array = EMPTY_BYTES;
  #view: Uint8Array = EMPTY_BYTES;
  /** Whether the head is read and its payload is not. */
  #inPayload = false;
  /** Payload bytes of the current frame that were read. */
  #done = 0;
  /** Opcode of the message that has begun, or 0. */
  #kind = CONTINUATION as number;
  #fragments = 0;
  #over = false;

  constructor(masked: boolean, limits: MessageLimits) {
    this.#head = new FrameHead(masked);
    this.#limits = limits;
  }

  /** Bytes of the input that `next` has not read yet. */
  get unread(): number {
    return this.#view.length - this.#head.at;
  }

  receive(view: Uint8Array): void {
    if (this.#over) return;
    const unread = this.unread;
    if (unread > 0) {
      const limit = this.#limits.maxMessageSize + UNREAD_ALLOWANCE;
      if (unread + view.length > limit) {
        throw new RangeError(
          `Pull events first: ${unread} bytes are unread, ${view.length} more exceed ${limit}`,
        );
      }
      this.#view = concatBytes([this.#view.subarray(this.#head.at), view]);
    } else {
      this.#view = view;
    }
    this.#head.at = 0;
  }

  retain(): void {
    // Not slice(), which shares memory where the view is a Buffer.
    this.#view = this.unread > 0 ? new Uint8Array(this.#view.subarray(this.#head.at)) : EMPTY_BYTES;
    this.#head.at = 0;
  }

  /** Drops everything: the next call of `next` and all after it give `undefined`. */
  stop(): void {
    this.#over = true;
    this.#view = EMPTY_BYTES;
    this.#head.at = 0;
    this.#message.clear();
  }

  next(): WebSocketEvent | undefined {
    const head = this.#head;
    while (!this.#over) {
      if (!this.#inPayload) {
        if (!head.read(this.#view, this.#view.length)) {
          if (head.fault !== undefined) return this.#fail(CLOSE_PROTOCOL_ERROR, head.fault);
          break;
        }
        head.reset();
        const refused = isControl(head.opcode) ? undefined : this.#admit();
        if (refused !== undefined) return refused;
        this.#inPayload = true;
        this.#done = 0;
      }
      const event = isControl(head.opcode) ? this.#readControl() : this.#readData();
      if (event !== undefined) return event;
      if (this.#inPayload) break;
    }
    return undefined;
  }

  /** RFC 6455 §5.4: a continuation belongs to a message that has begun, and another message waits for its end. */
  #admit(): FailEvent | undefined {
    const { opcode, length } = this.#head;
    const { maxMessageSize, maxFragments } = this.#limits;
    if (opcode === CONTINUATION) {
      if (this.#kind === CONTINUATION)
        return this.#fail(CLOSE_PROTOCOL_ERROR, "Continuation without a message");
    } else {
      if (this.#kind !== CONTINUATION)
        return this.#fail(CLOSE_PROTOCOL_ERROR, "New message inside a message");
      this.#kind = opcode;
      this.#fragments = 0;
      this.#text.reset();
    }
    if (this.#message.length + length > maxMessageSize) {
      return this.#fail(CLOSE_TOO_BIG, `Message is longer than ${maxMessageSize} bytes`);
    }
    if (++this.#fragments > maxFragments) {
      return this.#fail(CLOSE_TOO_BIG, `Message has more than ${maxFragments} fragments`);
    }
    return undefined;
  }

  #readData(): WebSocketEvent | undefined {
    const head = this.#head;
    const start = head.at;
    const end = Math.min(start + head.length - this.#done, this.#view.length);
    const whole = this.#done + end - start === head.length;
    head.at = end;
    if (whole && head.fin && this.#fragments === 1 && this.#done === 0) return this.#single(start, end);
    const from = this.#message.length;
    const limit = head.fin ? from - this.#done + head.length : this.#limits.maxMessageSize;
    this.#message.append(this.#view, start, end, head.key, this.#done, limit);
    this.#done += end - start;
    if (this.#kind === TEXT && !this.#text.push(this.#message.bytes, from, this.#message.length)) {
      return this.#fail(CLOSE_INVALID_DATA, INVALID_UTF8);
    }
    if (!whole) return undefined;
    this.#inPayload = false;
    return head.fin ? this.#assembled() : undefined;
  }

  /** A message in one frame that lies whole in the view: nearly all of them. */
  #single(start: number, end: number): WebSocketEvent {
    const kind = this.#kind;
    const { key } = this.#head;
    this.#inPayload = false;
    this.#kind = CONTINUATION;
    if (kind === TEXT) {
      const text = decodeMasked(this.#view, start, end, key);
      return text === undefined ? this.#fail(CLOSE_INVALID_DATA, INVALID_UTF8) : { type: "text", text };
    }
    const bytes = new Uint8Array(end - start);
    maskInto(bytes, 0, this.#view, start, end, key, 0);
    return { type: "binary", bytes };
  }

  /** The last piece of a message that came in several has been read. */
  #assembled(): WebSocketEvent {
    const kind = this.#kind;
    this.#kind = CONTINUATION;
    if (kind !== TEXT) return { type: "binary", bytes: this.#message.take() };
    if (!this.#text.complete) return this.#fail(CLOSE_INVALID_DATA, INVALID_UTF8);
    const text = decodeText(this.#message.bytes.subarray(0, this.#message.length)) as string;
    this.#message.clear();
    return { type: "text", text };
  }

  #readControl(): WebSocketEvent | undefined {
    const head = this.#head;
    const start = head.at;
    const end = Math.min(start + head.length - this.#done, this.#view.length);
    if (this.#done === 0) this.#control = new Uint8Array(head.length);
    maskInto(this.#control, this.#done, this.#view, start, end, head.key, this.#done);
    this.#done += end - start;
    head.at = end;
    if (this.#done < head.length) return undefined;
    this.#inPayload = false;
    const bytes = this.#control;
    this.#control = EMPTY_BYTES;
    if (head.opcode === CLOSE) return this.#close(bytes);
    return { type: head.opcode === PING ? "ping" : "pong", bytes };
  }

  /** RFC 6455 §5.5.1: nothing, or a two-byte code and a reason in UTF-8. */
  #close(bytes: Uint8Array): WebSocketEvent {
    if (bytes.length === 0) {
      this.stop();
      return { type: "close", code: CLOSE_NO_CODE, reason: "" };
    }
    if (bytes.length === 1) return this.#fail(CLOSE_PROTOCOL_ERROR, "Close frame with half a code");
    const code = ((bytes[0] as number) << 8) | (bytes[1] as number);
    if (!isCloseCode(code)) return this.#fail(CLOSE_PROTOCOL_ERROR, `Invalid close code ${code}`);
    const reason = decodeText(bytes.subarray(2));
    if (reason === undefined) return this.#fail(CLOSE_INVALID_DATA, "Close reason is not valid UTF-8");
    this.stop();
    return { type: "close", code, reason };
  }

  #fail(code: FailEvent["code"], reason: string): FailEvent {
    this.stop();
    return { type: "fail", code, reason };
  }
}
