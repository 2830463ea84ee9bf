// How a process ended, as one number: its exit code, or minus the signal that ended it (wait(2) as Python tells it).

import { constants } from "node:os";

/** How a process ended. */
export interface ExitStatus {
  /** 0 or more: its exit code; below 0: minus the number of the signal, or −1 where nobody knows it. */
  readonly code: number;
  /** The name of the signal that ended it. */
  readonly signal: string | undefined;
}

/** The end of a child that exited with 0, if Node is asked, and did not say so itself. */
export const UNEXPLAINED: ExitStatus = { code: -1, signal: undefined };

/** From what Node reports, of which one is null. */
export function exitStatus(code: number | null, signal: string | null): ExitStatus {
  if (signal === null) return { code: code ?? 0, signal: undefined };
  const numbers = constants.signals as Readonly<Record<string, number>>;
  return { code: -(numbers[signal] ?? 0) || -1, signal };
}
