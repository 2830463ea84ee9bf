// How the way between two hosts behaves, and what a connection over it asks: when bytes arrive, in which pieces, and
// whether it breaks.

import type { MemoryPairOptions } from "@tw/iostream/transports";
import type { Random } from "./random.js";

/** The way between two hosts. What is changed later holds for connections that are open, too. */
export interface LinkOptions {
  /** Milliseconds one way, or the least and the most of them; nothing overtakes within one connection. @default 0 */
  readonly latencyMs?: number | readonly [least: number, most: number];
  /** Bytes that pass in one millisecond, per connection and direction: a slow line, or a slow reader at its end. @default Infinity */
  readonly bytesPerMs?: number;
  /** How received bytes are cut: not at all, into single bytes, or anyhow. @default "whole" */
  readonly pieces?: "whole" | "bytes" | "random";
  /** How much of a write is taken at once: all that there is room for, or anything from one byte on. @default "whole" */
  readonly writes?: "whole" | "random";
  /** Bytes on their way or unread, per direction; then writing waits. @default 65536 */
  readonly capacity?: number;
  /** How often, of one, a write breaks the connection instead: both ends see `ECONNRESET`. @default 0 */
  readonly resetChance?: number;
}

/** All of it. */
export type Link = { -readonly [K in keyof LinkOptions]-?: LinkOptions[K] };

export const PERFECT: Link = {
  latencyMs: 0,
  bytesPerMs: Number.POSITIVE_INFINITY,
  pieces: "whole",
  writes: "whole",
  capacity: 65_536,
  resetChance: 0,
};

const PIECES: readonly unknown[] = ["whole", "bytes", "random"];
const WRITES: readonly unknown[] = ["whole", "random"];

/** @throws RangeError when an option is out of its range */
export function checkLink(options: LinkOptions): void {
  const { latencyMs, bytesPerMs, pieces, writes, capacity, resetChance } = { ...PERFECT, ...options };
  const [least, most] = typeof latencyMs === "number" ? [latencyMs, latencyMs] : latencyMs;
  const fine = {
    latencyMs: least >= 0 && most >= least && Number.isFinite(most),
    bytesPerMs: bytesPerMs > 0,
    pieces: PIECES.includes(pieces),
    writes: WRITES.includes(writes),
    capacity: Number.isSafeInteger(capacity) && capacity > 0,
    resetChance: resetChance >= 0 && resetChance <= 1,
  };
  for (const [name, ok] of Object.entries(fine)) {
    if (!ok)
      throw new RangeError(`${name} is out of its range: ${String(options[name as keyof LinkOptions])}`);
  }
}

/** Milliseconds that a packet takes. */
export function latencyOf({ latencyMs }: Link, random: Random): number {
  if (typeof latencyMs === "number") return latencyMs;
  const [least, most] = latencyMs;
  return least + random.next() * (most - least);
}

/** One end of a connection over a link. `now` is the clock of the network. */
export function endOver(link: Link, random: Random, now: () => number): MemoryPairOptions {
  let free = 0;
  return {
    capacity: link.capacity,
    latencyMs(bytes) {
      free = Math.max(free, now()) + bytes / link.bytesPerMs;
      return free - now() + latencyOf(link, random);
    },
    take: (wanted) => (link.writes === "random" ? random.integer(1, wanted) : wanted),
    chunk(available) {
      if (link.pieces === "bytes") return 1;
      return link.pieces === "random" ? random.integer(1, available) : available;
    },
  };
}
