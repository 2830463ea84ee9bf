// What is said about a block: as data for programs, as a line for people.

import { escapeControls } from "@tw/log";

/** What the loop was running: one of its own jobs, or code that Node called without the loop. */
export type RunningKind = "outside" | "callback" | "timer" | "handler";

/** What the loop was running when it was blocked. */
export interface RunningJob {
  /** `outside` is what the loop has not started itself: continuations of promises, Node's own timers and sockets. */
  readonly kind: RunningKind;
  /** The name of the stored function; empty when it has none, and in a storm of callbacks in which no names are read. */
  readonly name: string;
  /** What a layer above said it was doing, such as `GET /report`; empty when none did. */
  readonly label: string;
}

/** A place in the code, as V8 knows it, or as a source map does where Node was started with `--enable-source-maps`. */
export interface CodePosition {
  /** Empty for code outside functions and for functions without a name. */
  readonly functionName: string;
  readonly url: string;
  /** From 1. */
  readonly line: number;
  /** From 1; 0 where only the line is known. */
  readonly column: number;
}

/** One block of the loop, told when it is over. */
export interface BlockedReport {
  readonly running: RunningJob;
  /** How long, to within a quarter of `thresholdMs`. */
  readonly blockedMs: number;
  /** Where: the innermost place that is not Node's own code. `undefined` where no place can be told. */
  readonly position: CodePosition | undefined;
  /** All of the stack that is known, innermost first. For a native call its outer frames name functions by their first line. */
  readonly stack: readonly CodePosition[];
  /** Whether it was one native call (`JSON.parse`, a synchronous read), whose line can be told only afterwards. */
  readonly native: boolean;
  /** Blocks by this job at this place so far, with this one, and their sum; by this job where there is no `position`. */
  readonly count: number;
  readonly totalMs: number;
  /** Why `position` is missing, or how it is meant; empty otherwise. */
  readonly note: string;
}

/** `callback "parse" (GET /report)` */
export function describeRunning({ kind, name, label }: RunningJob): string {
  const what =
    kind === "outside" ? "code outside the loop's jobs" : `${kind} ${name ? quote(name) : "(anonymous)"}`;
  return label === "" ? what : `${what} (${escapeControls(label)})`;
}

/** `busy (file:///app/main.js:26:10)` */
export function describePosition({ functionName, url, line, column }: CodePosition): string {
  const place = `${escapeControls(url)}:${line}${column > 0 ? `:${column}` : ""}`;
  return `${functionName ? escapeControls(functionName) : "(anonymous)"} (${place})`;
}

/** Whether the n-th of the same is worth a line: 1, 10, 100, … */
export function worthSaying(count: number): boolean {
  return /^10*$/.test(String(count));
}

function quote(name: string): string {
  return `"${escapeControls(name)}"`;
}
