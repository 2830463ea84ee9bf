// Writes that no callback of a transport will flush leave together, at the end of the microtask checkpoint: all
// streams of a thread that have something to send share one tick.

/** A stream that waits for its turn to write. */
export interface Flushable {
  flushNow(): void;
}

/** Flushes `stream` after the continuations that run now. The caller sees to it that a stream waits once. */
export function flushLater(stream: Flushable): void {
  waiting[count++] = stream;
  if (count === 1) process.nextTick(flushAll);
}

const waiting: (Flushable | undefined)[] = [];
let count = 0;

function flushAll(): void {
  // A flush may queue more; it is served in the same pass.
  for (let i = 0; i < count; i++) {
    const stream = waiting[i] as Flushable;
    waiting[i] = undefined;
    stream.flushNow();
  }
  count = 0;
}
