// Bytes that nobody meant: noise, and frames with something wrong about them. From a seed, so that a failure comes back.

import { concatBytes } from "@tw/util";

/** A source of numbers below `limit`. */
export type Random = (limit: number) => number;

/** Good enough to choose with, and the same everywhere (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * limit);
  };
}

/** `rounds` pieces of garbage made of `frames`. */
export function* garbage(
  frames: readonly Uint8Array[],
  rounds: number,
  random: Random,
): Generator<Uint8Array> {
  for (let round = 0; round < rounds; round++) {
    const some = Array.from({ length: 1 + random(4) }, () => frames[random(frames.length)] as Uint8Array);
    const wire = concatBytes(some);
    switch (round % 5) {
      case 0: // noise
        yield Uint8Array.from({ length: random(80) }, () => random(256));
        break;
      case 1: // noise of the bytes that mean something
        yield Uint8Array.from({ length: random(80) }, () =>
          wire.length > 0 ? (wire[random(wire.length)] as number) : 0,
        );
        break;
      case 2: // changed bytes
        for (let i = 0; i <= random(3) && wire.length > 0; i++) wire[random(wire.length)] = random(256);
        yield wire;
        break;
      case 3: // a piece missing
        yield cut(wire, random(wire.length + 1), random(4));
        break;
      default: // frames, and noise behind
        yield concatBytes([wire, Uint8Array.from({ length: random(12) }, () => random(256))]);
    }
  }
}

function cut(bytes: Uint8Array, at: number, count: number): Uint8Array {
  return concatBytes([bytes.subarray(0, at), bytes.subarray(at + count)]);
}
