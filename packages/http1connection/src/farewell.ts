// What whoever goes on writing is told when nobody takes it any more, and how that is known again where it comes back as
// the failure of user code.

import { type IOStream, StreamClosedError } from "@tw/iostream";

const farewells = new WeakSet<object>();

/**
 * A promise that is rejected with `StreamClosedError`, and that one may ignore. A loop that awaits its writes ends by it:
 * one that was told nothing would never leave its microtasks, and the loop would serve nobody any more.
 */
export function refuseWrite(stream: IOStream): Promise<never> {
  const error = new StreamClosedError("Cannot write, nobody takes the message any more", stream.error);
  farewells.add(error);
  const refused = Promise.reject(error);
  refused.catch(ignore);
  return refused;
}

/** Whether it comes from {@link refuseWrite}: no news to whoever refused it. */
export function isFarewell(error: unknown): boolean {
  return typeof error === "object" && error !== null && farewells.has(error);
}

function ignore(): void {}
