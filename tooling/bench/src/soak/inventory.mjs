// What a process has open, to be compared with what it has later.

import { readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

function take(loop, connections) {
  return {
    descriptors: readdirSync("/proc/self/fd").length,
    handlers: loop.poller?.size ?? 0,
    timers: process.getActiveResourcesInfo().filter((name) => name === "Timeout").length,
    connections: connections(),
  };
}

/** Remembers what there is; `left()` resolves with what there is more when nothing goes away any more. */
export function inventory(loop, connections = () => 0) {
  loop.poller?.size; // made when first asked for, with descriptors of its own
  const before = take(loop, connections);
  globalThis.gc?.();
  const memory = process.memoryUsage();
  const difference = () => {
    const now = take(loop, connections);
    return Object.fromEntries(Object.entries(now).map(([name, count]) => [name, count - before[name]]));
  };
  return {
    async left() {
      for (let i = 0; i < 300; i++) {
        await sleep(50);
        // The sleep just over is no timer any more.
        if (Object.values(difference()).every((count) => count === 0)) break;
      }
      for (let i = 0; i < 3; i++) {
        globalThis.gc?.(); // buffers are freed by a thread of V8's, a little later
        await sleep(50);
      }
      const now = process.memoryUsage();
      return {
        ...difference(),
        heapKiB: Math.round((now.heapUsed - memory.heapUsed) / 1024),
        buffersKiB: Math.round((now.arrayBuffers - memory.arrayBuffers) / 1024),
      };
    },
  };
}

/** xorshift32: the same run for the same seed. */
export function randomOf(seed) {
  let state = Math.imul(seed, 2_654_435_761) | 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}
