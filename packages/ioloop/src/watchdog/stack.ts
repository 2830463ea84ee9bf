// Stacks, as V8's debugger and its profiler tell them, and the place in them that is to blame.

import type { Debugger, Profiler } from "node:inspector";
import type { CodePosition } from "./report.js";

/** A deeper stack says no more about who is to blame. */
const MAX_FRAMES = 30;

/** The stack of a paused thread; exact in every frame. `urlOf` knows scripts by id. */
export function pausedStack(
  frames: readonly Debugger.CallFrame[],
  urlOf: (scriptId: string) => string,
): CodePosition[] {
  return frames.slice(0, MAX_FRAMES).map(({ functionName, url, location }) => ({
    functionName,
    url: url || urlOf(location.scriptId),
    line: location.lineNumber + 1,
    column: (location.columnNumber ?? 0) + 1,
  }));
}

/**
 * The stack that a profile saw most often between two moments in µs of the profile's clock, or `undefined` if it saw
 * none. The innermost line is exact; of the outer functions only the first line is known.
 */
export function sampledStack(
  profile: Profiler.Profile,
  fromUs: number,
  toUs: number,
): CodePosition[] | undefined {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map<number, Profiler.ProfileNode>();
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node);

  const hits = new Map<number, number>();
  let at = profile.startTime;
  (profile.samples ?? []).forEach((id, index) => {
    at += profile.timeDeltas?.[index] ?? 0;
    if (at >= fromUs && at <= toUs) hits.set(id, (hits.get(id) ?? 0) + 1);
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

  const stack: CodePosition[] = [];
  for (let node = best; stack.length < MAX_FRAMES; ) {
    if (!isPseudo(node, parents)) stack.push(positionOf(node, node === best));
    const parent = parents.get(node.id);
    if (parent === undefined) break;
    node = parent;
  }
  return stack;
}

/** The innermost frame that is neither Node's nor this package's own; `undefined` when there is none. */
export function blame(stack: readonly CodePosition[], ownUrl: string): CodePosition | undefined {
  return stack.find(({ url }) => isUserCode(url, ownUrl));
}

/**
 * The place of a native call, from the stack sampled while it ran and the one the debugger saw when it had returned.
 *
 * The sampled line is exact where user code made the call itself. Where Node's own code stands in between, the sample
 * knows the function only, and the debugger its line, if the function had not returned by then.
 */
export function blameNative(
  sampled: readonly CodePosition[],
  paused: readonly CodePosition[],
  ownUrl: string,
): CodePosition | undefined {
  const culprit = blame(sampled, ownUrl);
  if (culprit === undefined || culprit === sampled[0]) return culprit;
  const same = paused.find(
    ({ functionName, url }) => functionName === culprit.functionName && url === culprit.url,
  );
  return same ?? culprit;
}

function isUserCode(url: string, ownUrl: string): boolean {
  return url !== "" && !url.startsWith("node:") && (ownUrl === "" || !url.startsWith(ownUrl));
}

/** `(root)`, `(program)`, `(idle)`: children of the root without a script. */
function isPseudo({ id, callFrame }: Profiler.ProfileNode, parents: ReadonlyMap<number, unknown>): boolean {
  return !parents.has(id) || callFrame.functionName.startsWith("(");
}

function positionOf({ callFrame, positionTicks }: Profiler.ProfileNode, innermost: boolean): CodePosition {
  const { functionName, url, lineNumber, columnNumber } = callFrame;
  const hottest = innermost ? positionTicks?.reduce((a, b) => (b.ticks > a.ticks ? b : a)) : undefined;
  return hottest === undefined
    ? { functionName, url, line: lineNumber + 1, column: columnNumber + 1 }
    : { functionName, url, line: hottest.line, column: 0 };
}
