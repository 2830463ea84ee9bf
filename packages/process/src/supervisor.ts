// Who looks after the children of forkProcesses. It knows neither Node's processes nor sockets: `spawn` starts a child
// and tells of its end, so that every order of events can be tried in virtual time.
//
//   running ──exit 0──────────► ended                 all ended ──► finished
//      ▲  └────crash──► restarted, as long as maxRestarts allows; one more: the others are stopped, finished fails
//      └────────────────────┘
//   not started ──► tried again after a pause, within the same limit; at once the end where it is not permitted
//   stop(signal): every child is sent the signal, none is restarted any more

import type { IOLoop, Timeout } from "@tw/ioloop";
import { Deferred, type LogFields, logSafely } from "@tw/util";
import { SpawnError, TooManyRestartsError } from "./errors.js";
import type { ExitStatus } from "./exit-status.js";

/** A child that was started. */
export interface Child {
  /** `undefined` when it could not be started; its end is told all the same. */
  readonly pid: number | undefined;
  kill(signal: NodeJS.Signals): void;
}

/** How a child ended, or why there is none. */
export type ChildEnd = { readonly status: ExitStatus } | { readonly failure: unknown };

/** What a {@link Supervisor} asks of its surroundings. */
export interface SupervisorOptions {
  readonly count: number;
  readonly maxRestarts: number;
  /** Milliseconds that the others may take to end when there is no use in going on; then they are killed. */
  readonly stopTimeoutMs: number;
  /** Has the pauses, and the logger. */
  readonly loop: IOLoop;
  /** Starts the child of a task and calls `onEnd` once, when it has ended; never before this returns. */
  readonly spawn: (id: number, onEnd: (end: ChildEnd) => void) => Child;
  /** The task is over: no other child will have this id. */
  readonly onTaskEnd?: (id: number) => void;
}

const NOT_STARTED: Child = { pid: undefined, kill: () => undefined };

/** How long to wait for what the system had not (processes, descriptors, memory) before a child is tried again. */
const RETRY_MS = 1000;

/** What does not pass by waiting. The first is of Node's permission model. */
const DENIED: ReadonlySet<unknown> = new Set(["ERR_ACCESS_DENIED", "EACCES", "EPERM"]);

/** Keeps a child per task alive, until all have ended by themselves or are stopped. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #alive = new Map<number, Child>();
  /** Tasks whose child is tried again later. */
  readonly #waiting = new Map<number, Timeout>();
  readonly #finished = new Deferred();
  #restarts = 0;
  #stopping = false;
  #failure: TooManyRestartsError | SpawnError | undefined;
  #killing: Timeout | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    // Whoever asks hears of it; that nobody asks is no reason to end the process.
    this.#finished.promise.catch(() => undefined);
  }

  /**
   * Resolves when every child has ended; rejects when every child has ended too, with `TooManyRestartsError`, or with
   * `SpawnError` where we may not start any.
   */
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
    for (const [id, timer] of this.#waiting) {
      this.#options.loop.removeTimeout(timer);
      this.#waiting.delete(id);
      this.#endTask(id);
    }
  }

  #spawn(id: number): void {
    try {
      this.#alive.set(
        id,
        this.#options.spawn(id, (end) => this.#ended(id, end)),
      );
    } catch (failure) {
      this.#alive.set(id, NOT_STARTED);
      queueMicrotask(() => this.#ended(id, { failure }));
    }
  }

  #ended(id: number, end: ChildEnd): void {
    const pid = this.#alive.get(id)?.pid;
    this.#alive.delete(id);
    if ("failure" in end) this.#notStarted(id, end.failure);
    else this.#exited(id, end.status, `child ${id} (pid ${pid}) ${outcome(end.status)}`);
  }

  #exited(id: number, { code }: ExitStatus, what: string): void {
    const { maxRestarts } = this.#options;
    if (code === 0 || this.#stopping) {
      this.#endTask(id);
      this.#say("info", what);
    } else if (this.#restarts < maxRestarts) {
      this.#restarts++;
      this.#say("warn", `${what}, restarting`);
      this.#spawn(id);
    } else {
      this.#say("error", `${what}, and ${maxRestarts} restarts are used up: stopping the others`);
      this.#giveUp(id, new TooManyRestartsError(maxRestarts, what));
    }
  }

  #notStarted(id: number, err: unknown): void {
    const { loop, maxRestarts } = this.#options;
    const what = `child ${id} could not be started`;
    if (this.#stopping || loop.closed) {
      this.#endTask(id);
      this.#say("info", what, { err });
    } else if (DENIED.has((err as NodeJS.ErrnoException | undefined)?.code)) {
      this.#say("error", `${what}, and will not be: stopping the others`, { err });
      this.#giveUp(id, new SpawnError(process.execPath, err));
    } else if (this.#restarts < maxRestarts) {
      this.#restarts++;
      this.#say("warn", `${what}, trying again in ${RETRY_MS} ms`, { err });
      this.#waiting.set(
        id,
        loop.callLater(RETRY_MS, () => this.#tryAgain(id)),
      );
    } else {
      this.#say("error", `${what}, and ${maxRestarts} restarts are used up: stopping the others`, { err });
      this.#giveUp(id, new TooManyRestartsError(maxRestarts, what, { cause: err }));
    }
  }

  #tryAgain(id: number): void {
    this.#waiting.delete(id);
    this.#spawn(id);
  }

  #giveUp(id: number, failure: TooManyRestartsError | SpawnError): void {
    const { loop, stopTimeoutMs } = this.#options;
    this.#failure = failure;
    this.stop("SIGTERM");
    if (!loop.closed) this.#killing = loop.callLater(stopTimeoutMs, () => this.stop("SIGKILL"));
    this.#endTask(id);
  }

  #say(level: "info" | "warn" | "error", message: string, fields?: LogFields): void {
    logSafely(this.#options.loop.logger, level, fields, message);
  }

  #endTask(id: number): void {
    this.#options.onTaskEnd?.(id);
    if (this.#alive.size > 0 || this.#waiting.size > 0) return;
    if (this.#killing !== undefined) this.#options.loop.removeTimeout(this.#killing);
    if (this.#failure === undefined) this.#finished.resolve();
    else this.#finished.reject(this.#failure);
  }
}

function outcome({ code, signal }: ExitStatus): string {
  if (signal !== undefined) return `was ended by ${signal}`;
  if (code < 0) return "was ended by a signal without a name, or left without its exit event";
  return code === 0 ? "exited normally" : `exited with status ${code}`;
}
