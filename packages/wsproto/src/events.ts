// What comes out of a machine. Bytes and text in events are copies: they belong to whoever pulled the event.

/** One thing that the peer did. */
export type WebSocketEvent = TextMessage | BinaryMessage | PingEvent | PongEvent | CloseEvent | FailEvent;

/** A whole text message, reassembled and decoded; a leading U+FEFF is part of it. */
export interface TextMessage {
  readonly type: "text";
  readonly text: string;
}

/** A whole binary message, reassembled and unmasked. */
export interface BinaryMessage {
  readonly type: "binary";
  readonly bytes: Uint8Array;
}

/** To be answered by `pong(event.bytes)`, RFC 6455 §5.5.2. */
export interface PingEvent {
  readonly type: "ping";
  readonly bytes: Uint8Array;
}

/** Answers a ping, or comes unasked as a heartbeat. */
export interface PongEvent {
  readonly type: "pong";
  readonly bytes: Uint8Array;
}

/** The peer closes: to be answered by `close()` unless that was sent already. The last event. */
export interface CloseEvent {
  readonly type: "close";
  /** The code of the frame; 1005 if it had none; 1006 if the input ended without a Close frame. */
  readonly code: number;
  readonly reason: string;
}

/** The peer broke the protocol: to be answered by `close(event.code, event.reason)` and an end. The last event. */
export interface FailEvent {
  readonly type: "fail";
  /** 1002 broken framing, 1007 text that is not UTF-8, 1009 beyond a limit. */
  readonly code: 1002 | 1007 | 1009;
  readonly reason: string;
}
