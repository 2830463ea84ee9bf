// Where something was made: the first place on the stack that is not of this stack, and what was called there.

import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { virtualLoop } from "@tw/ioloop/testing";

/** Frames kept: what a framework puts between a test and a timer may be deep. */
const DEPTH = 50;

/** A stack that is read only when somebody asks. */
export interface Origin {
  readonly stack?: string;
}

/** The stack of now, unread: reading is what costs. */
export function originHere(): Origin {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = DEPTH;
  try {
    return new Error();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** One line of a stack. */
interface Frame {
  /** `IOLoop.callLater`, or `""` at the top of a file. */
  readonly call: string;
  readonly file: string;
  readonly position: string;
}

/**
 * `TCPServer.listen() at test/server.test.ts:12:20`: the place in somebody's own code, and the call of ours that was made
 * there. Where no such code is on the stack, because a continuation of ours made it, the outermost place of ours.
 */
export function describeOrigin({ stack = "" }: Origin): string {
  const frames = stack.split("\n").flatMap(readFrame);
  // The frames up to the publisher are this package's and Node's.
  let ours: Frame | undefined;
  for (const frame of frames) {
    if (isOurs(frame.file)) ours = frame;
    else return `${ours === undefined || ours.call === "" ? "" : `${ours.call}() `}at ${placeOf(frame)}`;
  }
  return ours === undefined
    ? "at an unknown place"
    : `within ${ours.call || "the stack"} at ${placeOf(ours)}`;
}

const FRAME =
  /^\s+at (?:(?:async )?(.+?) \()?(?:async )?((?:file:\/\/|[/\\]|[A-Za-z]:[\\/]).*?):(\d+:\d+)\)?$/;

/** Frames of Node itself and of native code are none. */
function readFrame(line: string): Frame[] {
  const [, call = "", file = "", position = ""] = FRAME.exec(line) ?? [];
  if (file === "") return [];
  return [
    {
      // A bundler may have put an underscore before the name of a class.
      call: call.replace(/ \[as .*\]$/, "").replace(/^_/, ""),
      file: file.startsWith("file://") ? fileURLToPath(file) : file,
      position,
    },
  ];
}

function placeOf({ file, position }: Frame): string {
  const near = relative(process.cwd(), file);
  return `${near.startsWith("..") ? file : near}:${position}`;
}

let home: string | undefined;

/** Of a package of this stack: installed under its scope, or a neighbour of the loop's in a checkout. */
function isOurs(file: string): boolean {
  const path = file.replaceAll("\\", "/");
  if (path.includes("/node_modules/@tw/")) return true;
  home ??= findHome();
  return path.startsWith(home) && /^[^/]+\/(?:src|dist)\//.test(path.slice(home.length));
}

/** The folder that holds the package of the loop, as its own frames tell it. */
function findHome(): string {
  try {
    virtualLoop().loop.callLater(-1, () => undefined);
  } catch (error) {
    for (const line of String((error as Error).stack).split("\n")) {
      const [frame] = readFrame(line);
      const path = frame?.call.includes("callLater") ? frame.file.replaceAll("\\", "/") : "";
      const found = /^(.*\/)[^/]+\/(?:src|dist)\//.exec(path)?.[1];
      if (found !== undefined) return found;
    }
  }
  return "\0";
}
