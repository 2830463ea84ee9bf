// Why what is queued waits; none of these excludes another.

/** A callback of the receiver runs. */
export const ENTERED = 1;
/** The shared tick will flush. */
export const QUEUED = 2;
/** The transport took less than all: it will say when it takes more. */
export const BLOCKED = 4;
/** And what follows it: `send` returned false, so `onDrain` is due. */
export const DRAIN_WANTED = 8;
/** A file is being read, or has its next turn later: it goes on by itself. */
export const FILE = 16;
/** It has had its share: a later turn goes on. */
export const RESTING = 32;
/** Somebody corked the stream; the bits from here on count how often. */
export const CORK = 64;

/** No flush. */
export const HELD_BACK: number = ~(ENTERED | QUEUED | DRAIN_WANTED);
/** No need to ask for a flush: one is sure to come. */
export const FLUSH_COMES: number = ~DRAIN_WANTED;
/** What decides whether an `onDrain` that is due comes. */
export const TOLD: number = DRAIN_WANTED | RESTING;
/** What decides whether an `onDrain` that is due needs a tick of its own; else it is asked for, or follows something. */
export const DRAIN_COMES: number = DRAIN_WANTED | ENTERED | BLOCKED;
