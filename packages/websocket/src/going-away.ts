// A server that stops tells its WebSockets: RFC 6455 §7.4.1, code 1001. They do not belong to the HTTP server any more,
// so each loop keeps its own list of them, and one stop hook while there are any.

import type { IOLoop } from "@tw/ioloop";
import { CLOSE_GOING_AWAY } from "@tw/wsproto";

/** What can be told to go away. */
export interface Leaver {
  /** Closes, and resolves when that is done. Never rejects. */
  close(code: number): Promise<void>;
}

interface Members {
  readonly all: Set<Leaver>;
  readonly forgetHook: () => void;
}

const loops = new WeakMap<IOLoop, Members>();

/** Closes `leaver` with 1001 when a signal stops the loop. */
export function enlist(loop: IOLoop, leaver: Leaver): void {
  let members = loops.get(loop);
  if (members === undefined) {
    const all = new Set<Leaver>();
    const hook = async () => void (await Promise.all([...all].map((each) => each.close(CLOSE_GOING_AWAY))));
    members = { all, forgetHook: loop.onStop(hook) };
    loops.set(loop, members);
  }
  members.all.add(leaver);
}

/** Takes {@link enlist} back. */
export function strike(loop: IOLoop, leaver: Leaver): void {
  const members = loops.get(loop);
  members?.all.delete(leaver);
  if (members?.all.size !== 0) return;
  members.forgetHook();
  loops.delete(loop);
}
