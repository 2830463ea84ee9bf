// Where something was made: the first place on the stack that is not of this stack, and what was called there.

import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { virtualLoop } from "@tw/ioloop/testing";

/** Frames kept: what a framework puts between a test and a timer may be deep. */
const DEPTH = 50;

/** Calls named where all are ours. */
const MAX_CALLS = 4;

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

/** Where a loop calls what it keeps: whoever stands below has only started the loop. */
const CALLED_BY_LOOP = /\bcallJob\b|\b(?:\w*Job|VirtualTurn|VirtualHost)\.|\bonEvents\b/;

/**
 * `TCPServer.listen() at test/server.test.ts:12:20`: the place in somebody's own code, and the call of ours that was made
 * there. Where a loop called ours and nobody else's code was in between, the calls of ours, the innermost first.
 */
export function describeOrigin({ stack = "" }: Origin): string {
  const [self, ...frames] = stack.split("\n").flatMap(readFrame);
  // The first frame is this file's: it tells where this package is, wherever that may be.
  const here = SOURCES.exec(self?.file ?? "")?.[1] ?? "\0";
  const ours: Frame[] = [];
  for (const frame of frames) {
    if (frame.file.startsWith(`${here}src/leaks/`) || frame.file.startsWith(`${here}dist/`)) continue;
    if (!frame.file.startsWith(`${here}src/`) && !isOurs(frame.file)) {
      const call = ours.at(-1)?.call ?? "";
      return `${call === "" ? "" : `${call}() `}at ${placeOf(frame)}`;
    }
    if (CALLED_BY_LOOP.test(frame.call)) break;
    ours.push(frame);
  }
  const [first] = ours;
  if (first === undefined) return "an unknown place";
  const calls = ours.map(({ call }) => call).filter((call, at, all) => call !== "" && call !== all[at - 1]);
  return `${calls.slice(0, MAX_CALLS).join(" in ")} at ${placeOf(first)}`;
}

/** What lies above the sources or the bundle of a package. */
const SOURCES = /^(.*\/)(?:src|dist)\//;

const FRAME =
  /^\s+at (?:(?:async )?(.+?) \()?(?:async )?((?:file:\/\/|[/\\]|[A-Za-z]:[\\/]).*?):(\d+:\d+)\)?$/;

/** Frames of Node itself and of native code are none. */
function readFrame(line: string): Frame[] {
  const [, call = "", file = "", position = ""] = FRAME.exec(line) ?? [];
  if (file === "") return [];
  return [
    {
      // A bundler may have put an underscore before the name of a class.
      call: call.replace(/ \[as .*\]$/, "").replace(/^(new )?_/, "$1"),
      file: (file.startsWith("file://") ? fileURLToPath(file) : file).replaceAll("\\", "/"),
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
  if (file.includes("/node_modules/@tw/")) return true;
  home ??= findHome();
  return file.startsWith(home) && /^[^/]+\/(?:src|dist)\//.test(file.slice(home.length));
}

/** The folder that holds the package of the loop, as its own frames tell it. */
function findHome(): string {
  try {
    virtualLoop().loop.callLater(-1, () => undefined);
  } catch (error) {
    for (const line of String((error as Error).stack).split("\n")) {
      const [frame] = readFrame(line);
      const path = frame?.call.includes("callLater") ? frame.file : "";
      const found = /^(.*\/)[^/]+\/$/.exec(SOURCES.exec(path)?.[1] ?? "")?.[1];
      if (found !== undefined) return found;
    }
  }
  return "\0";
}
