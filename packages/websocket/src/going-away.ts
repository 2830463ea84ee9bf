// A server that stops tells its WebSockets: RFC 6455 §7.4.1, code 1001. They do not belong to the HTTP server any more,
// so what tells of the end keeps a list of those that want to know: the server's signal that it drains, where there is
// one, else the loop, which a signal of the system stops. There is one listener while there is somebody on the list.

import type { DrainSignal } from "@tw/httputil";
import type { IOLoop } from "@tw/ioloop";
import { CLOSE_GOING_AWAY } from "@tw/wsproto";

/** What can be told to go away. */
export interface Leaver {
  /** Closes, and resolves when that is done. Never rejects. */
  close(code: number): Promise<void>;
}

/** Who tells of the end. */
export type Herald = DrainSignal | IOLoop;

interface Members {
  readonly all: Set<Leaver>;
  readonly forget: () => void;
}

const lists = new WeakMap<Herald, Members>();

/** Closes `leaver` with 1001 when the end is told; at the next opportunity when it was told already. */
export function enlist(herald: Herald, leaver: Leaver): void {
  let members = lists.get(herald);
  if (members === undefined) {
    const all = new Set<Leaver>();
    const tell = async () => void (await Promise.all([...all].map((each) => each.close(CLOSE_GOING_AWAY))));
    members = { all, forget: listen(herald, tell) };
    lists.set(herald, members);
  }
  members.all.add(leaver);
  if ("aborted" in herald && herald.aborted) queueMicrotask(() => leaver.close(CLOSE_GOING_AWAY));
}

/** Takes {@link enlist} back. */
export function strike(herald: Herald, leaver: Leaver): void {
  const members = lists.get(herald);
  members?.all.delete(leaver);
  if (members?.all.size !== 0) return;
  members.forget();
  lists.delete(herald);
}

function listen(herald: Herald, tell: () => Promise<void>): () => void {
  if (!("aborted" in herald)) return herald.onStop(tell);
  const listener = (): void => void tell();
  herald.addEventListener("abort", listener);
  return () => herald.removeEventListener("abort", listener);
}
