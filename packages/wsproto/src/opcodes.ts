// Opcodes of frames, RFC 6455 §5.2. Plain numbers: they are compared once per frame.

/** Continues the message that a text or binary frame without FIN began. */
export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

/** One of the six opcodes that RFC 6455 §11.8 registers. */
export type Opcode =
  | typeof CONTINUATION
  | typeof TEXT
  | typeof BINARY
  | typeof CLOSE
  | typeof PING
  | typeof PONG;

/** The longest payload of a control frame, in bytes: RFC 6455 §5.5. */
export const MAX_CONTROL_PAYLOAD = 125;

/** Tells whether a frame of this opcode is a control frame (bit 3 set). */
export function isControl(opcode: number): boolean {
  return (opcode & 0x8) !== 0;
}

/** Tells whether `opcode` is registered; the others make the connection fail with 1002. */
export function isOpcode(opcode: number): opcode is Opcode {
  return opcode <= BINARY || (opcode >= CLOSE && opcode <= PONG);
}
