// A binary heap of timers whose removals are lazy: most timers of a server are deadlines that are cancelled, and most
// are added in the order in which they would fire. So adding is one comparison, cancelling sets a mark, and when
// three of four slots are marked they are swept out at once, which costs each of them O(1).

/** What the heap needs of an element. */
export interface HeapEntry {
  readonly when: number;
  readonly order: number;
  /** {@link DEAD}, or anything else while it is in the heap. */
  state: number;
}

/** The state of an entry that was removed or taken. */
export const DEAD = 0;

/** Marks below this number are not worth a sweep. */
const SWEEP_FROM = 512;

/** A sweep looks at every slot, so it waits until three of four are dead: they are small, their callbacks gone already. */
const DEAD_SHARE = 3 / 4;

/** Entries by time, then by the order in which they were added. */
export class TimerHeap<E extends HeapEntry> {
  #entries: E[] = [];
  #dead = 0;

  /** Live entries. */
  get size(): number {
    return this.#entries.length - this.#dead;
  }

  /** Slots in use, swept or not: for the test that proves the bound. */
  get slots(): number {
    return this.#entries.length;
  }

  /** All live entries, in no order. */
  live(): E[] {
    return this.#entries.filter((entry) => entry.state !== DEAD);
  }

  add(entry: E): void {
    const at = this.#entries.length;
    this.#entries.push(entry);
    siftUp(this.#entries, at);
  }

  /** Takes a live entry out. */
  remove(entry: E): void {
    entry.state = DEAD;
    const entries = this.#entries;
    this.#dead++;
    // The last slot is a leaf: what was added last goes at once, with the dead that lie before it.
    while (this.#dead > 0 && entries[entries.length - 1]?.state === DEAD) {
      entries.pop();
      this.#dead--;
    }
    if (this.#dead >= SWEEP_FROM && this.#dead > entries.length * DEAD_SHARE) this.#sweep();
  }

  /** The earliest live entry. */
  first(): E | undefined {
    for (;;) {
      const top = this.#entries[0];
      if (top === undefined || top.state !== DEAD) return top;
      this.#dropTop();
      this.#dead--;
    }
  }

  /** Takes the earliest live entry out and marks it as no longer live. */
  takeFirst(): E | undefined {
    const top = this.first();
    if (top === undefined) return undefined;
    this.#dropTop();
    top.state = DEAD;
    return top;
  }

  #dropTop(): void {
    const entries = this.#entries;
    const last = entries.pop() as E;
    if (entries.length === 0) return;
    entries[0] = last;
    siftDown(entries, 0);
  }

  #sweep(): void {
    const entries = this.live();
    for (let at = (entries.length >> 1) - 1; at >= 0; at--) siftDown(entries, at);
    this.#entries = entries;
    this.#dead = 0;
  }
}

function before(a: HeapEntry, b: HeapEntry): boolean {
  return a.when < b.when || (a.when === b.when && a.order < b.order);
}

function siftUp<E extends HeapEntry>(entries: E[], from: number): void {
  const entry = entries[from] as E;
  let at = from;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = entries[parent] as E;
    if (!before(entry, above)) break;
    entries[at] = above;
    at = parent;
  }
  entries[at] = entry;
}

function siftDown<E extends HeapEntry>(entries: E[], from: number): void {
  const entry = entries[from] as E;
  const { length } = entries;
  let at = from;
  for (let child = 2 * at + 1; child < length; child = 2 * at + 1) {
    if (child + 1 < length && before(entries[child + 1] as E, entries[child] as E)) child++;
    if (!before(entries[child] as E, entry)) break;
    entries[at] = entries[child] as E;
    at = child;
  }
  entries[at] = entry;
}
