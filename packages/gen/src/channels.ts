// What those who wait say about themselves on `node:diagnostics_channel`; see docs/diagnostics.md.

import { channel } from "node:diagnostics_channel";
import type { DiagnosticsChannel, IOLoop } from "@tw/ioloop";

/** Somebody waits in a call that has no limit of time: for a lock, an item, room, an event. */
export interface WaitingMessage {
  readonly loop: IOLoop;
  /** Tells itself whether it is still `pending`. */
  readonly waiter: { readonly pending: boolean };
}

export const waiting: DiagnosticsChannel<WaitingMessage> = channel("tw:gen:waiting");
