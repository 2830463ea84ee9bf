// Everything that a client can drive up, and where that ends.

/** Limits of a server; sizes are bytes. */
export interface Limits {
  /** One argument. At the limit: a protocol error, and the connection ends. */
  readonly maxBulkSize: number;
  /** Arguments of one request. At the limit: a protocol error, and the connection ends. */
  readonly maxArguments: number;
  /** All arguments of one request together. At the limit: a protocol error, and the connection ends. */
  readonly maxRequestSize: number;
  /** A request typed by hand, in one line. At the limit: a protocol error, and the connection ends. */
  readonly maxInlineSize: number;
  /** What keys and values weigh together. At the limit: OOM for commands that add, everything else goes on. */
  readonly maxMemory: number;
  /** The answer to one request. At the limit: an error. */
  readonly maxReplySize: number;
  /** Answers that wait for a client. Above it, no more of its requests are read: the client waits for itself. */
  readonly maxReplyBuffer: number;
  /** Messages that wait for a subscriber. At the limit it is disconnected: others must not wait, nor memory fill. */
  readonly maxSubscriberBuffer: number;
  /** Channels and patterns of one client. At the limit: an error. */
  readonly maxSubscriptions: number;
  /** One channel, or one pattern of channels or keys. At the limit: an error. */
  readonly maxPatternSize: number;
  /** Connections. At the limit: an error, and the connection ends. */
  readonly maxClients: number;
}

export const DEFAULT_LIMITS: Limits = {
  maxBulkSize: 16 * 1024 * 1024,
  maxArguments: 65_536,
  maxRequestSize: 32 * 1024 * 1024,
  maxInlineSize: 65_536,
  maxMemory: 256 * 1024 * 1024,
  maxReplySize: 64 * 1024 * 1024,
  maxReplyBuffer: 1024 * 1024,
  maxSubscriberBuffer: 8 * 1024 * 1024,
  maxSubscriptions: 1024,
  maxPatternSize: 1024,
  maxClients: 10_000,
};
