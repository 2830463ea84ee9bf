// Where something was made: the first place on the stack that is not of this stack, and what was called there.

import { type Frame, folderOf, isOurs, placeOf, publicCall, readFrames } from "./frames.js";

/** Frames kept: what a framework puts between a test and a timer may be deep. */
const DEPTH = 50;

/** Calls named where all are ours. */
const MAX_CALLS = 4;

/** A stack that is read only when somebody asks. */
export interface Origin {
  readonly stack?: string;
}

/** The stack of now, unread: reading is what costs most. A frame costs about half a microsecond even so. */
export function originHere(): Origin {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = DEPTH;
  try {
    return new Error();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** What was called, and where. */
export interface Place {
  /** `TCPServer.listen()`; `""` where nothing but private parts of ours are left on the stack. */
  readonly call: string;
  /** `test/server.test.ts:12:20` */
  readonly place: string;
  /** Whether it is in somebody's own code. */
  readonly yours: boolean;
}

/** Where a loop calls what it keeps: whoever stands below has only started the loop. */
const CALLED_BY_LOOP = /\bcallJob\b|\b(?:\w*Job|VirtualTurn|VirtualHost)\.|\bonEvents\b/;

/**
 * The place in somebody's own code, and the outermost public call of ours that was made there. After an `await` in ours
 * there may be none: JavaScript remembers who awaits, not who called. Where a loop called ours and nobody else's code
 * was in between, the calls of ours, the innermost first.
 */
export function readOrigin({ stack = "" }: Origin): Place {
  const [self, ...frames] = readFrames(stack);
  // The first frame is this file's: it tells where this package is, wherever that may be.
  const here = self === undefined ? "\0" : folderOf(self);
  const ours: Frame[] = [];
  for (const frame of frames) {
    if (frame.file.startsWith(`${here}src/leaks/`) || frame.file.startsWith(`${here}dist/`)) continue;
    if (!frame.file.startsWith(`${here}src/`) && !isOurs(frame)) {
      const call = ours.findLast((each) => !each.call.includes("#") && publicCall(each) !== "")?.call ?? "";
      return { call: call === "" ? "" : `${call}()`, place: placeOf(frame), yours: true };
    }
    if (CALLED_BY_LOOP.test(frame.call)) break;
    ours.push(frame);
  }
  const [first] = ours;
  if (first === undefined) return { call: "", place: "an unknown place", yours: false };
  const calls = ours.map(publicCall).filter((call, at, all) => call !== "" && call !== all[at - 1]);
  return { call: calls.slice(0, MAX_CALLS).join(" in "), place: placeOf(first), yours: false };
}

/**
 * `TCPServer.listen() at test/server.test.ts:12:20`, or `at test/server.test.ts:12:20`. `maker` stands in for a call that
 * the stack does not tell.
 */
export function describeOrigin(origin: Origin, maker = ""): string {
  const { call, place, yours } = readOrigin(origin);
  if (maker !== "" && !yours) return maker;
  const by = maker !== "" && (call === "" || call.startsWith("new ")) ? maker : call;
  return by === "" ? `at ${place}` : `${by} at ${place}`;
}
