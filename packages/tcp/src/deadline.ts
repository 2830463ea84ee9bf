// One deadline, and the caller's signal, over all that connecting takes: a name, attempts, a handshake, whatever a protocol
// says first. Its phases know one signal, which whichever comes first aborts, and each leaves nothing open then.

import type { IOLoop } from "@tw/ioloop";
import { offAbort, onAbort } from "@tw/util";

/** What may cut work short. */
export interface Deadline {
  /** Milliseconds for all of it; 0 is no limit. */
  readonly timeoutMs: number;
  /** Makes the reason when these are over. */
  readonly expired: () => Error;
  /** The caller's: whoever aborts it gives the work up, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work`, whose controller is aborted when time is up or the caller's signal is. Settles as `work` does, and not before:
 * who hears that it was given up finds nothing open any more. (`withTimeout` of `@tw/gen` leaves the work to itself.)
 *
 * @throws the caller's reason where that came before, by rejecting; the work does not begin then
 * @example
 * const deadline = { timeoutMs: 5000, expired: () => new Error("No greeting in 5 s"), signal };
 * const greeting = await withDeadline(loop, deadline, async ({ signal }) => {
 *   const stream = await client.connect(host, 25, { signal, timeoutMs: 0 });
 *   return await stream.readUntil("\r\n", { maxBytes: 512, signal });
 * });
 */
export async function withDeadline<T>(
  loop: IOLoop,
  { timeoutMs, expired, signal }: Deadline,
  work: (cancel: AbortController) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const cancel = new AbortController();
  const aborted = (): void => cancel.abort(signal?.reason);
  // First, as it may throw.
  const timer = timeoutMs === 0 ? undefined : loop.callLater(timeoutMs, () => cancel.abort(expired()));
  if (signal !== undefined) onAbort(signal, aborted);
  try {
    return await work(cancel);
  } finally {
    if (timer !== undefined) loop.removeTimeout(timer);
    if (signal !== undefined) offAbort(signal, aborted);
  }
}
