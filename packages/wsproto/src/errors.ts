// The errors of WebSockets. The machine itself yields a `fail` event for what the peer did wrong; these are thrown.

import { TwError } from "@tw/util";

/**
 * The connection failed, or is about to: `closeCode` says why in the numbers of RFC 6455 §7.4.
 *
 * Its `code` is `ERR_TW_WEBSOCKET` unless a subclass says otherwise.
 */
export class WebSocketError extends TwError {
  readonly closeCode: number;

  constructor(message: string, closeCode: number, options?: ErrorOptions & { readonly code?: string }) {
    super(options?.code ?? "ERR_TW_WEBSOCKET", message, options);
    this.closeCode = closeCode;
  }
}

/** Something was sent after a Close frame: `ERR_TW_WEBSOCKET_CLOSED`. */
export class WebSocketClosedError extends WebSocketError {
  constructor(message: string, closeCode = 1006, options?: ErrorOptions) {
    super(message, closeCode, { ...options, code: "ERR_TW_WEBSOCKET_CLOSED" });
  }
}

/** The opening handshake did not lead to a WebSocket: `ERR_TW_WEBSOCKET_HANDSHAKE`. */
export class WebSocketHandshakeError extends WebSocketError {
  /** Status of the response, or 0 where there was none. */
  readonly status: number;

  constructor(message: string, status = 0, options?: ErrorOptions) {
    super(message, 1006, { ...options, code: "ERR_TW_WEBSOCKET_HANDSHAKE" });
    this.status = status;
  }
}
