// What both ends of a WebSocket can be told.

import { checkDurationMs, checkInteger } from "@tw/util";
import type { Message } from "./message.js";

/** Who hears of what a connection does. What one of these throws, or rejects with, is logged and closes with 1011. */
export interface WebSocketListener {
  /** A whole message. The next frame is read when the promise that this returns has settled: that is the back-pressure. */
  onMessage(message: Message): unknown;
  /** A ping, which has been answered already. */
  onPing?(payload: Uint8Array): unknown;
  onPong?(payload: Uint8Array): unknown;
  /**
   * The connection is gone: last call, exactly once. It does not wait for a promise of `onMessage` that is pending, so
   * that who works for the peer learns that nobody is there any more. See `closeCode` for the code.
   */
  onClose?(code: number, reason: string): unknown;
}

/** Limits of a connection. */
export interface WebSocketOptions {
  /** The longest message that is accepted, in bytes; a longer one closes with 1009. @default that of @tw/wsproto, 10 MiB */
  readonly maxMessageSize?: number;
  /**
   * The most bytes that may wait for a slow peer. A message written above it is refused and the connection aborted:
   * a peer that missed a message would be worse than one that has to connect again.
   * @default 16777216 (16 MiB)
   */
  readonly maxBufferedAmount?: number;
  /**
   * How long the peer may take to answer our Close frame and to close the connection, in ms; once more as long where a hook
   * that began after `close()` is pending, because the answer may lie behind what it holds back. @default 5000
   */
  readonly closeTimeoutMs?: number;
}

export const DEFAULT_MAX_BUFFERED_AMOUNT: number = 16 * 1024 * 1024;
export const DEFAULT_CLOSE_TIMEOUT_MS = 5000;

/** @throws TypeError, RangeError for a limit that cannot be */
export function checkOptions(options: WebSocketOptions): void {
  const { maxMessageSize, maxBufferedAmount, closeTimeoutMs } = options;
  if (maxMessageSize !== undefined) checkInteger("maxMessageSize", maxMessageSize, 1);
  if (maxBufferedAmount !== undefined) checkInteger("maxBufferedAmount", maxBufferedAmount);
  if (closeTimeoutMs !== undefined) checkDurationMs("closeTimeoutMs", closeTimeoutMs);
}
