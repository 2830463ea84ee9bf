// RFC 6455 without I/O, for both roles: bytes go in and events are pulled out, messages go in and chunks come out. It
// owns no socket, no timer and no randomness, and answers nothing by itself: pongs and closes are the driver's calls.

import { checkInteger, isBytes } from "@tw/util";
import { isCloseCode } from "./close-codes.js";
import { WebSocketClosedError } from "./errors.js";
import type { WebSocketEvent } from "./events.js";
import type { WireChunks } from "./frame.js";
import { MessageReader } from "./message-reader.js";
import { MessageWriter } from "./message-writer.js";
import { PING, PONG } from "./opcodes.js";
import { combine, INPUT, type InputState, OUTPUT, type OutputState, type WebSocketState } from "./states.js";

/** Which end this is: a client masks what it sends, a server does not. */
export type WebSocketRole = "client" | "server";

/** Options of a {@link WebSocketMachine}. */
export interface WebSocketMachineOptions {
  /**
   * The longest message that is accepted, in bytes of payload, counted over its fragments and known before they are
   * read: beyond it the connection fails with 1009. An end without a limit can be made to hold whatever its peer sends.
   * @default 10485760 (10 MiB)
   */
  readonly maxMessageSize?: number;
  /**
   * The most fragments that a message may have; beyond, the connection fails with 1009. Empty fragments cost no memory
   * but could go on for ever.
   * @default 65536
   */
  readonly maxFragments?: number;
  /**
   * Messages longer than this many bytes are sent in frames of that size.
   * @default Infinity: one frame each
   */
  readonly fragmentSize?: number;
  /**
   * Gives a fresh masking key of 32 bits per frame; required of a client, never asked by a server. RFC 6455 §10.3: it
   * must come from a strong source of randomness, or scripts can forge requests towards a proxy in between.
   */
  readonly maskingKey?: () => number;
}

/** 10 MiB. */
export const DEFAULT_MAX_MESSAGE_SIZE = 10_485_760;
export const DEFAULT_MAX_FRAGMENTS = 65_536;

/**
 * One end of a WebSocket after its handshake.
 *
 * Feed it with {@link receive}, pull events with {@link next} until that gives `undefined`, send the chunks that the
 * other methods return, in order. A view may be used again once `next` gave `undefined`, or after {@link retain}.
 *
 * @example
 * const machine = new WebSocketMachine("server");
 * machine.receive(view);
 * for (let event = machine.next(); event; event = machine.next()) {
 *   if (event.type === "text") for (const chunk of machine.sendText(event.text)) stream.send(chunk);
 * }
 */
export class WebSocketMachine {
  readonly role: WebSocketRole;
  readonly #reader: MessageReader;
  readonly #writer: MessageWriter;
  #input: InputState = "open";
  #output: OutputState = "open";
  #ended = false;
  #peerCode: number | undefined;

  /** @throws TypeError for a client without maskingKey @throws RangeError for a limit that is not an integer from 1 on */
  constructor(role: WebSocketRole, options: WebSocketMachineOptions = {}) {
    if (role !== "client" && role !== "server") throw new TypeError(`Not a role: ${String(role)}`);
    if (role === "client" && typeof options.maskingKey !== "function") {
      throw new TypeError("A client needs maskingKey");
    }
    this.role = role;
    this.#reader = new MessageReader(role === "server", {
      maxMessageSize: limit("maxMessageSize", options.maxMessageSize, DEFAULT_MAX_MESSAGE_SIZE),
      maxFragments: limit("maxFragments", options.maxFragments, DEFAULT_MAX_FRAGMENTS),
    });
    const fragmentSize = limit("fragmentSize", options.fragmentSize, Number.POSITIVE_INFINITY);
    this.#writer = new MessageWriter(role === "client" ? options.maskingKey : undefined, fragmentSize);
  }

  /** `closing` once either direction has ended, `closed` when both have. */
  get state(): WebSocketState {
    return combine(this.#input, this.#output);
  }

  /** Whether messages, pings and a close may be sent. */
  get canSend(): boolean {
    return this.#output === "open";
  }

  /** Whether the peer may still send messages. */
  get canReceive(): boolean {
    return this.#input === "open";
  }

  /**
   * Takes bytes of the peer. They are read, not copied, by `next`. What comes after a close or fail event is ignored.
   *
   * @throws RangeError when more than maxMessageSize and 64 KiB would be waiting for `next`
   */
  receive(view: Uint8Array): void {
    this.#reader.receive(view);
  }

  /** Says that the peer sends no more: `next` then gives a close event of code 1006 unless a Close frame came. */
  receiveEnd(): void {
    this.#ended = true;
  }

  /**
   * Reads on and gives the next event, or `undefined` when more bytes are needed or nothing more will come.
   *
   * Never throws for what the peer sent: that is a single fail event.
   */
  next(): WebSocketEvent | undefined {
    const event = this.#reader.next();
    if (event === undefined) return this.#atEnd();
    if (event.type === "close") {
      this.#peerCode = event.code;
      this.#input = INPUT[this.#input as "open"].close;
    } else if (event.type === "fail") {
      this.#input = INPUT[this.#input as "open"].fail;
    }
    return event;
  }

  /** Copies what `next` has not read of the view, which may then be used again. */
  retain(): void {
    this.#reader.retain();
  }

  /** A text message, as UTF-8; lone surrogates become U+FFFD. @throws WebSocketClosedError after `close` */
  sendText(text: string): WireChunks {
    if (typeof text !== "string") throw new TypeError("A text message is a string");
    this.#sendable();
    return this.#writer.text(text);
  }

  /**
   * A binary message. A server's chunks contain `bytes` itself, which must not change until sent; a client's a masked
   * copy. @throws WebSocketClosedError after `close`
   */
  sendBinary(bytes: Uint8Array): WireChunks {
    if (!isBytes(bytes)) throw new TypeError("A binary message is a Uint8Array");
    this.#sendable();
    return this.#writer.binary(bytes);
  }

  /** A ping of at most 125 bytes. @throws RangeError when longer @throws WebSocketClosedError after `close` */
  ping(payload: Uint8Array | string = ""): WireChunks {
    this.#sendable();
    return this.#writer.control(PING, payload);
  }

  /** A pong: the payload of the ping that it answers. @throws as {@link ping} */
  pong(payload: Uint8Array | string = ""): WireChunks {
    this.#sendable();
    return this.#writer.control(PONG, payload);
  }

  /**
   * A Close frame; nothing can be sent after it, and closing again gives no chunks. Without arguments it echoes the
   * peer's code if that closed first (RFC 6455 §5.5.1), and else is empty. A reason alone is sent with 1000.
   *
   * @throws RangeError for a code that may not be sent (RFC 6455 §7.4), or a reason of more than 123 bytes
   */
  close(code?: number, reason = ""): WireChunks {
    if (this.#output !== "open") return [];
    const echo = this.#peerCode !== undefined && isCloseCode(this.#peerCode) ? this.#peerCode : undefined;
    const chunks = this.#writer.close(code ?? (reason === "" ? echo : undefined), reason);
    this.#output = OUTPUT[this.#output].close;
    return chunks;
  }

  #sendable(): void {
    if (this.#output !== "open")
      throw new WebSocketClosedError("Cannot send: a Close frame was sent", this.#peerCode);
  }

  #atEnd(): WebSocketEvent | undefined {
    if (!this.#ended || this.#input !== "open") return undefined;
    this.#input = INPUT[this.#input].end;
    this.#reader.stop();
    return { type: "close", code: 1006, reason: "" };
  }
}

function limit(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  checkInteger(name, value, 1);
  return value;
}
