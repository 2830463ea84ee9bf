// What the tests of every parser share: text out of order, and growth.

import { dice } from "@tw/tooling-testing/dice";

export { expectLinear } from "@tw/tooling-testing/growth";
export { dice };

/** Yields `count` texts made of `pieces` in random order, some with a character of any kind among them. */
export function* garbage(pieces: readonly string[], count: number, seed = 1): Generator<string> {
  const random = dice(seed);
  for (let i = 0; i < count; i++) {
    let text = "";
    for (let n = random(12); n > 0; n--)
      text += random(20) === 0 ? String.fromCharCode(random(0x180)) : pieces[random(pieces.length)];
    yield text;
  }
}
