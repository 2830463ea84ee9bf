// The errors of processes. Recognise them by `code`.

import { TwError } from "@tw/util";
import type { ExitStatus } from "./exit-status.js";

/**
 * `ERR_TW_TOO_MANY_RESTARTS`: children of `forkProcesses` ended abnormally, or could not be started, more often than
 * `maxRestarts` allows. Where the last one could not be started, `cause` is the system's error (`EMFILE`, `EAGAIN`).
 */
export class TooManyRestartsError extends TwError {
  constructor(maxRestarts: number, last: string, options?: ErrorOptions) {
    super(
      "ERR_TW_TOO_MANY_RESTARTS",
      `Too many restarts of children, limit ${maxRestarts}: ${last}`,
      options,
    );
  }
}

/** `ERR_TW_FORK`: `forkProcesses` or `taskSockets` was called where it makes no sense. */
export class ForkError extends TwError {
  constructor(message: string) {
    super("ERR_TW_FORK", message);
  }
}

/** `ERR_TW_SPAWN`: a program could not be started; `cause` is the system's error (`ENOENT`, `EACCES`). */
export class SpawnError extends TwError {
  constructor(command: string, cause: unknown) {
    super("ERR_TW_SPAWN", `Cannot start ${JSON.stringify(command)}: ${message(cause)}`, { cause });
  }
}

/** `ERR_TW_CALLED_PROCESS`: a program ended with another exit code than 0, or by a signal. */
export class CalledProcessError extends TwError {
  /** The exit code, or minus the number of the signal. */
  readonly exitCode: number;
  /** The signal that ended it. */
  readonly signal: string | undefined;

  constructor(command: string, { code, signal }: ExitStatus) {
    const how = signal === undefined ? `exit code ${code}` : `signal ${signal}`;
    super("ERR_TW_CALLED_PROCESS", `${JSON.stringify(command)} ended with ${how}`);
    this.exitCode = code;
    this.signal = signal;
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
