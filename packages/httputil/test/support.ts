// What the tests of every parser share: text out of order, and growth.

export { expectLinear } from "@tw/tooling-testing/growth";

/** The same numbers in every run: xorshift32. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Yields `count` texts made of `pieces` in random order, some with a character of any kind among them. */
export function* garbage(pieces: readonly string[], count: number, seed = 1): Generator<string> {
  const random = randomOf(seed);
  for (let i = 0; i < count; i++) {
    let text = "";
    for (let n = random(12); n > 0; n--)
      text += random(20) === 0 ? String.fromCharCode(random(0x180)) : pieces[random(pieces.length)];
    yield text;
  }
}
