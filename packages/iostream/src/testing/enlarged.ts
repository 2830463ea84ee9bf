// Messages that a codec may have to refuse: samples that are texts or bytes, repeated until no frame could hold them. On
// the way there are those that a field of lengths no longer holds, and those that contain a delimiter.

import { concatBytes } from "@tw/util";

/** What is repeated weighs no more than this: the limit of a codec may be most of a machine. */
const MOST = 1 << 20;

/** Each sample that can be repeated: twice, four times and so on, and as often as about fills `maxFrameSize`. */
export function* enlarged<S>(samples: readonly S[], maxFrameSize: number): Generator<S> {
  const most = Math.min(maxFrameSize, MOST);
  for (const sample of samples) {
    if (typeof sample !== "string" && !(sample instanceof Uint8Array)) continue;
    if (sample.length === 0) continue;
    for (const times of timesUpTo(Math.floor(most / sample.length))) yield repeat(sample, times) as S;
  }
}

function timesUpTo(full: number): Set<number> {
  const times = new Set<number>();
  for (let count = 2; count < full; count *= 2) times.add(count);
  for (let count = full - 4; count <= full + 1; count++) if (count > 1) times.add(count);
  return times;
}

function repeat(sample: string | Uint8Array, times: number): string | Uint8Array {
  if (typeof sample === "string") return sample.repeat(times);
  return concatBytes(Array.from({ length: times }, () => sample));
}
