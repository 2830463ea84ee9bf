// The two directions of a connection, each with its table. What is absent is illegal. Roles share the tables: closing
// is symmetric in RFC 6455 §7.1, but for who closes the TCP connection, which is the driver's affair.

/** Where the peer's frames stand. Only `open` reads. */
export type InputState = keyof typeof INPUT;
/** Where our frames stand. Only `open` writes. */
export type OutputState = keyof typeof OUTPUT;

/** The connection as a whole, in the vocabulary of RFC 6455 §7.1. */
export type WebSocketState = "open" | "closing" | "closed";

/** `close`: a Close frame came. `fail`: the protocol was broken. `end`: the bytes ended without a Close frame. */
export const INPUT = {
  open: { close: "closed", fail: "failed", end: "ended" },
  closed: {},
  failed: {},
  ended: {},
} as const;

/** `close`: a Close frame was sent. */
export const OUTPUT = {
  open: { close: "closed" },
  closed: {},
} as const;

/** `closing` from the first Close frame, failure or end on, until both directions are through. */
export function combine(input: InputState, output: OutputState): WebSocketState {
  if (input === "open" && output === "open") return "open";
  return input !== "open" && output !== "open" ? "closed" : "closing";
}
