// Stacks, as V8's debugger and its profiler tell them, and the place in them that is to blame.

import type { Debugger, Profiler } from "node:inspector";
import type { CodePosition } from "./report.js";

/** A deeper stack says no more about who is to blame. */
const MAX_FRAMES = 30;

/** Of module code that goes on behind an await, V8's profiler does not know where it begins, nor any line. */
const NOWHERE = "0:0";

/** A place, and where its function begins, by which a function is known that has no name. */
export interface Frame extends CodePosition {
  readonly head: string;
}

/** From one moment to another, in µs of the profile's clock. */
export interface Span {
  readonly fromUs: number;
  readonly toUs: number;
}

/** The stack of a paused thread; exact in every frame. `urlOf` knows scripts by id. */
export function pausedStack(
  frames: readonly Debugger.CallFrame[],
  urlOf: (scriptId: string) => string,
): Frame[] {
  return frames.slice(0, MAX_FRAMES).map(({ functionName, url, location, functionLocation }) => ({
    functionName,
    url: url || urlOf(location.scriptId),
    line: location.lineNumber + 1,
    column: (location.columnNumber ?? 0) + 1,
    head: headOf(functionLocation ?? location),
  }));
}

/**
 * The stack that a profile saw most often in `span`, apart from `without`; `undefined` if it saw none. The innermost
 * line is exact; of the outer functions only the first line is known.
 */
export function sampledStack(profile: Profiler.Profile, span: Span, without?: Span): Frame[] | undefined {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map<number, Profiler.ProfileNode>();
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node);

  const hits = new Map<number, number>();
  let at = profile.startTime;
  (profile.samples ?? []).forEach((id, index) => {
    at += profile.timeDeltas?.[index] ?? 0;
    if (isIn(span, at) && !(without && isIn(without, at))) hits.set(id, (hits.get(id) ?? 0) + 1);
  });
  let best: Profiler.ProfileNode | undefined;
  let most = 0;
  for (const [id, count] of hits) {
    const node = nodes.get(id);
    if (node === undefined || count <= most || isPseudo(node, parents)) continue;
    best = node;
    most = count;
  }
  if (best === undefined) return undefined;

  const stack: Frame[] = [];
  for (let node = best; stack.length < MAX_FRAMES; ) {
    if (!isPseudo(node, parents)) stack.push(positionOf(node, node === best));
    const parent = parents.get(node.id);
    if (parent === undefined) break;
    node = parent;
  }
  return stack;
}

/** The innermost frame that is neither Node's nor this package's own; `undefined` when there is none. */
export function blame(stack: readonly Frame[], ownUrl: string): Frame | undefined {
  return stack.find(({ url }) => isUserCode(url, ownUrl));
}

/**
 * The place of a native call, from the stack sampled while it ran and the one the debugger saw when it had returned.
 *
 * The sampled line is exact where user code made the call itself. Where Node's own code stands in between, the sample
 * knows the function only, and the debugger its line, if the function had not returned by then.
 */
export function blameNative(
  sampled: readonly Frame[],
  paused: readonly Frame[],
  ownUrl: string,
): Frame | undefined {
  const culprit = blame(sampled, ownUrl);
  if (culprit === undefined || (culprit === sampled[0] && culprit.head !== NOWHERE)) return culprit;
  return paused.find((frame) => isSameFunction(frame, culprit)) ?? culprit;
}

/**
 * The place of any block, from where it was sampled most often and where the debugger paused it.
 *
 * A pause comes with the first JavaScript behind a native call, which is somebody else's. So it is believed where the
 * thread answered `promptly`, as JavaScript does, and the samples show the same function; it knows the column, too.
 */
export function placeOf(
  sampled: readonly Frame[] | undefined,
  paused: readonly Frame[],
  promptly: boolean,
  ownUrl: string,
): { readonly stack: readonly Frame[]; readonly position: Frame | undefined } {
  const seen = blame(paused, ownUrl);
  if (sampled === undefined) return { stack: paused, position: seen };
  const culprit = blame(sampled, ownUrl);
  const agreed = seen !== undefined && (culprit === undefined || isSameFunction(seen, culprit));
  if (promptly && agreed) return { stack: paused, position: seen };
  return { stack: sampled, position: blameNative(sampled, paused, ownUrl) };
}

function isSameFunction(a: Frame, b: Frame): boolean {
  const head = a.head === b.head || b.head === NOWHERE;
  return head && a.url === b.url && a.functionName === b.functionName;
}

function isIn({ fromUs, toUs }: Span, at: number): boolean {
  return at >= fromUs && at <= toUs;
}

function headOf({
  lineNumber,
  columnNumber = 0,
}: Debugger.Location | Profiler.ProfileNode["callFrame"]): string {
  return `${lineNumber + 1}:${columnNumber + 1}`;
}

function isUserCode(url: string, ownUrl: string): boolean {
  return url !== "" && !url.startsWith("node:") && (ownUrl === "" || !url.startsWith(ownUrl));
}

/** `(root)`, `(program)`, `(idle)`: children of the root without a script. */
function isPseudo({ id, callFrame }: Profiler.ProfileNode, parents: ReadonlyMap<number, unknown>): boolean {
  return !parents.has(id) || callFrame.functionName.startsWith("(");
}

function positionOf({ callFrame, positionTicks }: Profiler.ProfileNode, innermost: boolean): Frame {
  const { functionName, url, lineNumber, columnNumber } = callFrame;
  const head = headOf(callFrame);
  const hottest = innermost ? positionTicks?.reduce((a, b) => (b.ticks > a.ticks ? b : a)) : undefined;
  return hottest === undefined
    ? { functionName, url, line: Math.max(lineNumber + 1, 1), column: Math.max(columnNumber + 1, 0), head }
    : { functionName, url, line: hottest.line, column: 0, head };
}
