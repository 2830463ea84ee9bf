// How long a peer may be silent before it is probed, as kernels count it.

/** Seconds, as Linux has it. */
const MAX_KEEP_ALIVE = 32_767;

/** Whole seconds, upwards, as many as there may be; 0 is never. */
export function keepAliveSeconds(idleMs: number): number {
  return Math.min(Math.ceil(idleMs / 1000), MAX_KEEP_ALIVE);
}
