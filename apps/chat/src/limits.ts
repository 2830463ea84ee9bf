// How much of everything. Each limit has a test in test/room.test.ts or test/server.test.ts.

/** Limits of the room. Text is counted in UTF-16 code units, as `maxlength` of a text field does. */
export interface RoomLimits {
  /** Longest name. */
  readonly nameLength: number;
  /** Longest text of a message. */
  readonly textLength: number;
  /** Messages kept for those who come in later. */
  readonly history: number;
  /** People in the room at once; who comes then is turned away with 4003. */
  readonly people: number;
  /** Messages that one person may say at once … */
  readonly burst: number;
  /** … and how many come back each second. */
  readonly perSecond: number;
  /** After so many refused messages without a good one between them the socket is closed with 1008. */
  readonly refusals: number;
  /** Bytes that may wait for one slow reader; beyond it the socket is closed with 1013. */
  readonly bufferedBytes: number;
}

export const ROOM_LIMITS: RoomLimits = {
  nameLength: 32,
  textLength: 2000,
  history: 50,
  people: 100,
  burst: 8,
  perSecond: 1,
  refusals: 20,
  bufferedBytes: 1024 * 1024,
};

/** Limits of sockets, whoever is behind them. */
export interface SocketLimits {
  /** Sockets at once, those that have not said a name yet included; one more is answered with 503. */
  readonly sockets: number;
  /** Milliseconds until a socket that has not said its name is closed with 1008. */
  readonly joinWithinMs: number;
  /** Milliseconds between pings; who has not answered one when the next is due is closed. */
  readonly pingEveryMs: number;
}

export const SOCKET_LIMITS: SocketLimits = { sockets: 200, joinWithinMs: 10_000, pingEveryMs: 25_000 };

/** Longest WebSocket message, in bytes: a text of 2000 characters with each of them escaped as `\uXXXX` fits. */
export const MESSAGE_BYTES: number = 16 * 1024;
