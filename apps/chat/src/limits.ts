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

/** A socket that has not said its name by then is closed with 1008. */
export const JOIN_WITHIN_MS = 10_000;

/** Sockets at once, those that have not said a name yet included. */
export const SOCKETS = 200;

/** Longest WebSocket message, in bytes: a text of 2000 characters with each of them escaped as `\uXXXX` fits. */
export const MESSAGE_BYTES: number = 16 * 1024;
