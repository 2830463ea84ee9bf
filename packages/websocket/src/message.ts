// Messages as applications see them: text is a string, binary is bytes, and what is sent may also be a JSON value.

import { jsonEncode } from "@tw/escape";
import { fromUtf8, isBytes, utf8 } from "@tw/util";
import type { WebSocketMachine, WireChunks } from "@tw/wsproto";

/** A received message: text is a string, binary is bytes that belong to the receiver. */
export type Message = string | Uint8Array;

/** A message to send. An object or array goes out as JSON text. */
export type OutgoingMessage = Message | object;

/** Options of `writeMessage`. */
export interface WriteMessageOptions {
  /** Sends as binary, or as text, whatever the type. @default binary for bytes, text for everything else */
  readonly binary?: boolean;
}

/** The chunks of a message. @throws TypeError for what is no message, or bytes sent as text that are not UTF-8 */
export function encodeMessage(
  machine: WebSocketMachine,
  message: OutgoingMessage,
  binary?: boolean,
): WireChunks {
  const payload = isBytes(message) ? message : typeof message === "string" ? message : json(message);
  if (binary ?? isBytes(payload)) {
    return machine.sendBinary(typeof payload === "string" ? utf8(payload) : payload);
  }
  return machine.sendText(typeof payload === "string" ? payload : fromUtf8(payload, { fatal: true }));
}

function json(value: object): string {
  if (typeof value !== "object" || value === null) throw new TypeError(`Not a message: ${String(value)}`);
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    throw new TypeError("Binary messages are Uint8Arrays: wrap it in one");
  }
  return jsonEncode(value);
}
