// Who is fed by a stream without a promise per read: protocol machines.

/**
 * Receives what arrives on a stream; see `IOStream.attach`. Calls never nest. What one of them throws, or rejects
 * with, is logged and aborts the stream: it never ends the process.
 */
export interface StreamReceiver {
  /** A view, valid until the call returns or the returned promise settles; meanwhile no more is delivered. Copy it to keep it;
   * sent on while it is valid, by this stream or another, it needs no copy of yours. */
  onBytes(view: Uint8Array): void | Promise<void>;
  /** The peer finished sending; writing still works. */
  onEnd(): void;
  /** Everything that `send` took went to the kernel, after it had returned false. */
  onDrain(): void;
  /**
   * The stream is gone; last call, exactly once.
   *
   * @param unread what came before the peer was lost, and was not delivered because of `pause`: the receiver's own
   */
  onClose(error?: unknown, unread?: Uint8Array): void;
}
