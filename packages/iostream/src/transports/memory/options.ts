// Options of a memory pair.

import type { TransportInfo } from "../../transport.js";

/** How a pair behaves. */
export interface MemoryPairOptions {
  /**
   * Milliseconds from `write` to `onBytes`, the same for both directions. A function is asked for each end, with 0, and
   * for each write of which anything is taken, with the number of bytes that are; what was sent first still arrives
   * first. @default 0, the next turn of the loop
   */
  readonly latencyMs?: number | ((bytes: number) => number);
  /** How many of the `wanted` bytes one write takes; clamped to 1…wanted. @default all, up to the capacity */
  readonly take?: (wanted: number) => number;
  /** How many of the `available` bytes come with the next `onBytes`; clamped to 1…available. @default all */
  readonly chunk?: (available: number) => number;
  /** Bytes on their way or undelivered, per direction; a write beyond it is short. @default 65536 */
  readonly capacity?: number;
  /** Overwrites a view when its time is over, so that one that is kept too long shows up. @default true */
  readonly poison?: boolean;
  /** What each end says about itself; the rest is `""` and 0. */
  readonly info?: readonly [Partial<TransportInfo>, Partial<TransportInfo>];
}

/** Options with their defaults filled in. */
export interface MemorySettings {
  readonly latencyMs: (bytes: number) => number;
  readonly take: ((wanted: number) => number) | undefined;
  readonly chunk: ((available: number) => number) | undefined;
  readonly capacity: number;
  readonly poison: boolean;
}

/** @throws RangeError when a number is out of its range */
export function memorySettings(options: MemoryPairOptions): MemorySettings {
  const { latencyMs = 0, take, chunk, capacity = 64 * 1024, poison = true } = options;
  if (typeof latencyMs !== "function" && !(latencyMs >= 0))
    throw new RangeError(`latencyMs must not be negative, got ${latencyMs}`);
  if (!(Number.isSafeInteger(capacity) && capacity > 0)) {
    throw new RangeError(`capacity must be a positive integer, got ${capacity}`);
  }
  const latency = typeof latencyMs === "function" ? latencyMs : () => latencyMs;
  return { latencyMs: latency, take, chunk, capacity, poison };
}
