// Rules about time, tested as growth: milliseconds belong in the benchmark.

import { expect } from "vitest";

/**
 * Fails when twice the input takes more than three times the work, over four doublings: what is quadratic ends at 256
 * times, what is linear at 16. Work is time of the processor here, so the least of several measurements counts, and of a few
 * attempts one that passes is enough: neighbours on the machine make nothing faster than it is.
 */
export function expectLinear(work: (size: number) => void, size = 4096): void {
  const cost = (n: number) => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 5; i++) {
      const before = process.cpuUsage();
      work(n);
      const { user, system } = process.cpuUsage(before);
      least = Math.min(least, user + system);
    }
    return least;
  };
  cost(size);
  let growth = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 4 && growth > 3 ** 4; attempt++) {
    // A floor, so that what takes no time at all is not judged by the clock's grain.
    growth = cost(16 * size) / Math.max(cost(size), 20);
  }
  expect(growth).toBeLessThan(3 ** 4);
}
