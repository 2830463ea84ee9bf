// How a listener hands a connection on: clause 4 of the contract in network.ts.

import type { IOLoop, LazyAsyncResource } from "@tw/ioloop";
import type { Transport } from "@tw/iostream";
import { report } from "./report.js";

/**
 * Calls `onConnection` in the transport's own context, so that what it enters is not seen by the next connection. When it
 * throws, that is logged and the transport aborted.
 */
export function deliver<T extends Transport & LazyAsyncResource>(
  loop: IOLoop,
  transport: T,
  onConnection: (transport: T) => void,
): void {
  try {
    transport.runInAsyncScope(onConnection, undefined, transport);
  } catch (error) {
    transport.abort(error);
    report(loop, "error", "Exception in onConnection", error);
  }
}
