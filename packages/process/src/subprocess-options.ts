// Options of Subprocess, and what is refused.

import { constants } from "node:os";
import type { StreamOptions } from "@tw/iostream";
import { checkStreamOptions } from "@tw/iostream/transports";
import { checkInteger, checkLoop, checkSignal } from "@tw/util";

/** Where a standard descriptor leads: an `IOStream`, the same place as ours, nowhere, or a descriptor of ours. */
export type Redirection = "stream" | "inherit" | "ignore" | number;

/** Options of a `Subprocess`. Those of streams hold for all streams that are asked for. */
export interface SubprocessOptions extends StreamOptions {
  /** @default "inherit" */
  readonly stdin?: Redirection;
  /** @default "inherit" */
  readonly stdout?: Redirection;
  /** @default "inherit" */
  readonly stderr?: Redirection;
  /** Which engine carries the bytes. @default `TW_ENGINE`, else native where the poller loads, else node */
  readonly engine?: "native" | "node";
  /** The directory it begins in. @default ours */
  readonly cwd?: string;
  /** Its environment, all of it. @default ours */
  readonly env?: Readonly<Record<string, string>>;
  /** Sends `killSignal` when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** What `signal` sends. @default "SIGTERM" */
  readonly killSignal?: NodeJS.Signals;
}

/** Throws unless these can be the arguments of a `Subprocess`. @throws TypeError, RangeError */
export function checkSubprocess(args: readonly string[], options: SubprocessOptions): void {
  if (!Array.isArray(args) || args.length === 0 || !args.every((each) => typeof each === "string")) {
    throw new TypeError('A Subprocess takes its program and arguments as an array of strings: ["ls", "-l"]');
  }
  checkStreamOptions(options);
  const { loop, signal, killSignal, env, engine } = options;
  checkLoop(loop);
  checkSignal(signal);
  // Node would start it with an environment that is empty, or ours.
  if (env !== undefined && (typeof env !== "object" || env === null)) {
    throw new TypeError(`env must be an object of strings, got ${JSON.stringify(env)}`);
  }
  if (engine !== undefined && engine !== "native" && engine !== "node") {
    throw new TypeError(`engine must be "native" or "node", got ${JSON.stringify(engine)}`);
  }
  // It would be found out when the signal aborts, where nobody could catch it.
  if (killSignal !== undefined && !Object.hasOwn(constants.signals, killSignal)) {
    throw new TypeError(`killSignal must be the name of a signal, got ${JSON.stringify(killSignal)}`);
  }
  for (const name of ["stdin", "stdout", "stderr"] as const) {
    const value = options[name];
    if (value === undefined || value === "stream" || value === "inherit" || value === "ignore") continue;
    if (typeof value !== "number") {
      throw new TypeError(
        `${name} must be "stream", "inherit", "ignore" or a descriptor, got ${String(value)}`,
      );
    }
    checkInteger(name, value);
  }
}
