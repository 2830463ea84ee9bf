// What Node does between two callbacks of its own that it calls one after the other, as it does timers and immediates:
// ticks and promises, until there are none left, and rejections that nobody handles.

/**
 * Runs them; `undefined` where this process does not offer that, or would warn of its use. It has no documented name, so
 * whoever calls it must be able to do without: by a callback of its own for each event, after which Node does the same.
 */
export const runTicks: (() => void) | undefined = findRunTicks();

function findRunTicks(): (() => void) | undefined {
  const found = (process as { _tickCallback?: unknown })._tickCallback;
  // Under another name it is somebody's who puts something around it: Node itself does, with --pending-deprecation.
  return typeof found === "function" && found.name === "runNextTicks" ? (found as () => void) : undefined;
}
