// Who looks after the children of forkProcesses. It knows neither Node's processes nor sockets: `spawn` starts a child
// and tells of its end, so that every order of events can be tried in virtual time.
//
//   running ──exit 0──────────► ended                 all ended ──► finished
//      ▲  └────crash──► restarted, as long as maxRestarts allows; one more: the others are stopped, finished fails
//      └────────────────────┘
//   stop(signal): every child is sent the signal, none is restarted any more

import { Deferred, type Logger } from "@tw/util";
import { TooManyRestartsError } from "./errors.js";
import type { ExitStatus } from "./exit-status.js";

/** A child that was started. */
export interface Child {
  /** `undefined` when it could not be started; its end is told all the same. */
  readonly pid: number | undefined;
  kill(signal: NodeJS.Signals): void;
}

/** What a {@link Supervisor} asks of its surroundings. */
export interface SupervisorOptions {
  readonly count: number;
  readonly maxRestarts: number;
  readonly logger: Logger;
  /** Starts the child of a task and calls `onExit` once, when it has ended; never before this returns. */
  readonly spawn: (id: number, onExit: (status: ExitStatus) => void) => Child;
  /** The task is over: no other child will have this id. */
  readonly onTaskEnd?: (id: number) => void;
}

const NOT_STARTED: Child = { pid: undefined, kill: () => undefined };

/** Keeps a child per task alive, until all have ended by themselves or are stopped. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #alive = new Map<number, Child>();
  readonly #finished = new Deferred();
  #restarts = 0;
  #stopping = false;
  #failure: TooManyRestartsError | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    // Whoever asks hears of it; that nobody asks is no reason to end the process.
    this.#finished.promise.catch(() => undefined);
  }

  /** Resolves when every child has ended; rejects with `TooManyRestartsError`, when every child has ended too. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** Ids and processes of the children that are alive. */
  get alive(): ReadonlyMap<number, Child> {
    return this.#alive;
  }

  /** Starts all children. */
  start(): void {
    for (let id = 0; id < this.#options.count; id++) this.#spawn(id);
  }

  /** Sends `signal` to all children and restarts none from now on. May be repeated. */
  stop(signal: NodeJS.Signals): void {
    this.stopRestarting();
    for (const child of this.#alive.values()) child.kill(signal);
  }

  /** Leaves the children alone, and restarts none from now on. */
  stopRestarting(): void {
    this.#stopping = true;
  }

  #spawn(id: number): void {
    const { spawn, logger } = this.#options;
    try {
      this.#alive.set(
        id,
        spawn(id, (status) => this.#ended(id, status)),
      );
    } catch (err) {
      // Out of processes or descriptors: as if it had begun and crashed, so that this too is tried again and limited.
      logger.error({ err }, `child ${id} could not be started`);
      this.#alive.set(id, NOT_STARTED);
      queueMicrotask(() => this.#ended(id, { code: 1, signal: undefined }));
    }
  }

  #ended(id: number, status: ExitStatus): void {
    const { logger, maxRestarts, onTaskEnd } = this.#options;
    const child = this.#alive.get(id);
    this.#alive.delete(id);
    const what = `child ${id} (pid ${child?.pid ?? "none"}) ${outcome(status)}`;
    const crashed = status.code !== 0 && !this.#stopping;
    if (crashed && this.#restarts < maxRestarts) {
      this.#restarts++;
      logger.warn(`${what}, restarting`);
      return this.#spawn(id);
    }
    onTaskEnd?.(id);
    if (!crashed) logger.info(what);
    else {
      logger.error(`${what}, and ${maxRestarts} restarts are used up: stopping the others`);
      this.#failure = new TooManyRestartsError(maxRestarts, what);
      this.stop("SIGTERM");
    }
    if (this.#alive.size > 0) return;
    if (this.#failure === undefined) this.#finished.resolve();
    else this.#finished.reject(this.#failure);
  }
}

function outcome({ code, signal }: ExitStatus): string {
  if (signal !== undefined) return `was ended by ${signal}`;
  if (code < 0) return "was ended by a signal without a name, or left without its exit event";
  return code === 0 ? "exited normally" : `exited with status ${code}`;
}
