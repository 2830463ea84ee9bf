// One block of the loop, from the look that found it to its report.

import type { CodePosition, RunningJob } from "./report.js";
import type { Frame } from "./stack.js";

/** Where the question for the stack stands. */
type BlockState =
  /** The thread has not answered yet. */
  | "asked"
  /** It was in JavaScript, or cannot be asked: there is no more to learn while it is blocked. */
  | "located"
  /** It did not answer as JavaScript does: it sat in a native call, or sits there still. */
  | "native"
  /** Another debugger has paused it. */
  | "held";

export interface Block {
  readonly running: RunningJob;
  readonly seq: number;
  askedAt: number;
  askedAgain: boolean;
  stack: readonly Frame[];
  /** When the thread heard of the question, and when it had answered. */
  heardAt: number;
  seenAt: number;
  state: BlockState;
  ended: boolean;
  blockedMs: number;
  note: string;
}

export function newBlock(running: RunningJob, seq: number, askedAt: number): Block {
  return {
    running,
    seq,
    askedAt,
    askedAgain: false,
    stack: [],
    heardAt: 0,
    seenAt: 0,
    state: "asked",
    ended: false,
    blockedMs: 0,
    note: "",
  };
}

export const NO_LINE =
  "The line cannot be named: the loop is in a worker thread, or Node has no inspector or does not allow it.";
export const TOO_OFTEN = "Blocked too often for the stack to be taken each time.";
export const NO_SAMPLE =
  "No sample was taken of this native call: its place is where the stack was next seen.";

/**
 * No job and no line of the user's: the thread had no CPU, or V8 and Node were busy with themselves. There is nobody to
 * blame, unless the stack could not be asked for.
 */
export function isNobody({ running, note }: Block, position: CodePosition | undefined): boolean {
  return running.kind === "outside" && position === undefined && note !== NO_LINE && note !== TOO_OFTEN;
}
