// How a parent tells the end of a child's work from an end that Node reports in the same words: of a signal without a name
// (the real-time ones) it says what it says of exit(0). So a child says on a pipe that it has come and, in its `exit` event,
// that it goes. The pipe is there for nothing else: what waits in the channel of node:cluster is lost with the process.

import type { ChildProcess } from "node:child_process";
import { writeSync } from "node:fs";
import type { Readable } from "node:stream";

const CAME = 1;
const GOES = 2;

let promised = false;

/** In a child: says that it has come, and says that it goes when it does, not when it dies. Once is enough. */
export function promiseFarewell(fd: number): void {
  if (promised) return;
  promised = true;
  say(fd, CAME);
  process.once("exit", () => say(fd, GOES));
}

function say(fd: number, what: number): void {
  try {
    writeSync(fd, Uint8Array.of(what));
  } catch {
    // The parent is gone, and nobody asks.
  }
}

/**
 * In the parent, when a child is started: what it says. The function returned is for when it has exited with 0: it calls
 * `onKnown`, once, with whether the end of its work was that; false is for a child that came and did not say that it goes.
 */
export function expectFarewell(child: ChildProcess, fd: number): (onKnown: (went: boolean) => void) => void {
  // Out of descriptors Node makes none, and no array of them either.
  const pipe = (child.stdio as ChildProcess["stdio"] | undefined)?.[fd] as Readable | null | undefined;
  let said: number | undefined;
  pipe?.on("data", (words: Uint8Array) => {
    said = words[words.length - 1];
  });
  // A pipe that breaks is closed as well.
  pipe?.on("error", () => undefined);
  return (onKnown) => {
    // Its last word may still be on the way.
    if (said === GOES || pipe === null || pipe === undefined || pipe.closed) onKnown(said !== CAME);
    else pipe.once("close", () => onKnown(said !== CAME));
  };
}
