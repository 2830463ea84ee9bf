// Where the jobs of this thread find the watchdog. Nobody there is the usual case, and costs one look.

import type { Activity } from "./memory.js";

/** Hears of every job of this thread, while a watchdog is set. */
export let activity: Activity | undefined;

export function setActivity(next: Activity | undefined): void {
  activity = next;
}
