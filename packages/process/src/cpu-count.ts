// How many processes are worth starting.

import { availableParallelism } from "node:os";

/**
 * Processors that this process may use: its affinity counts, and where Node knows them the limits of its container. At
 * least 1. (Tornado's `process.cpu_count`.)
 *
 * @example
 * await forkProcesses(cpuCount() * 2);
 */
export function cpuCount(): number {
  return Math.max(1, availableParallelism());
}
