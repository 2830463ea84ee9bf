// Another program, with streams on its standard descriptors (Tornado's process.Subprocess).
//
//   new Subprocess ──► running ──exit──► ended: waitForExit resolves, the exit callback runs
//        └─ ENOENT ──► failed: waitForExit rejects with SpawnError, the streams are closed with it

import { AsyncResource } from "node:async_hooks";
import { type ChildProcess, spawn } from "node:child_process";
import type { WaitOptions } from "@tw/gen";
import { checkWait, timeOut, Waiters } from "@tw/gen/waiters";
import { IOLoop, LoopClosedError } from "@tw/ioloop";
import type { IOStream } from "@tw/iostream";
import { checkFunction, isTwError, offAbort, onAbort } from "@tw/util";
import { CalledProcessError, SpawnError } from "./errors.js";
import { type ExitStatus, exitStatus } from "./exit-status.js";
import { Stdio } from "./stdio.js";
import { checkSubprocess, type Redirection, type SubprocessOptions } from "./subprocess-options.js";

/** The stream of a descriptor that was asked to have one. */
export type StreamFor<R> = R extends "stream" ? IOStream : undefined;

/** Options of {@link Subprocess.waitForExit}. */
export interface WaitForExitOptions extends WaitOptions {
  /** Rejects with `CalledProcessError` when the exit code is not 0. @default true */
  readonly raiseError?: boolean;
}

/**
 * Runs a program, without a shell: arguments reach it as they are.
 *
 * `stdin`, `stdout` and `stderr` are inherited unless told otherwise; with `"stream"` each is an `IOStream`, with its
 * limits and its back-pressure: a program whose output nobody reads waits. `stdin.end()` tells the program that there is
 * no more.
 *
 * @throws TypeError, RangeError on bad arguments, at once
 * @throws SpawnError `ERR_TW_SPAWN` where the system has no process or descriptor to give; that the program does not
 *   exist comes from {@link waitForExit}
 * @example
 * await using cat = new Subprocess(["cat"], { stdin: "stream", stdout: "stream" });
 * await cat.stdin.write("hello\n");
 * cat.stdin.end();
 * console.log(await cat.stdout.readUntil("\n"), await cat.waitForExit());
 */
export class Subprocess<const O extends SubprocessOptions = SubprocessOptions> implements AsyncDisposable {
  /** To write to the program. On the native engine all three are `PipeIOStream`s. */
  readonly stdin: StreamFor<O["stdin"]>;
  /** What the program writes. */
  readonly stdout: StreamFor<O["stdout"]>;
  /** What the program complains of. */
  readonly stderr: StreamFor<O["stderr"]>;
  readonly #loop: IOLoop;
  readonly #command: string;
  readonly #child: ChildProcess;
  readonly #waiters: Waiters<ExitStatus>;
  #end: { readonly status: ExitStatus } | { readonly failure: SpawnError } | undefined;
  #exitCallback: ((code: number) => void) | undefined;
  #forgetSignal: (() => void) | undefined;

  constructor(args: readonly string[], options: O = {} as O) {
    checkSubprocess(args, options);
    const { stdin = "inherit", stdout = "inherit", stderr = "inherit", signal } = options;
    const [command = "", ...rest] = args;
    this.#loop = options.loop ?? IOLoop.current();
    this.#command = command;
    this.#waiters = new Waiters(this.#loop);
    const stdio = openStdio(command, this.#loop, [stdin, stdout, stderr], options.engine);
    this.#child = start(command, rest, options, stdio);
    this.#child.on("exit", (code, by) => this.#exited(exitStatus(code, by)));
    this.#child.on("error", (error) => this.#failed(error));
    try {
      this.stdin = stdio.stream(0, this.#child, options) as StreamFor<O["stdin"]>;
      this.stdout = stdio.stream(1, this.#child, options) as StreamFor<O["stdout"]>;
      this.stderr = stdio.stream(2, this.#child, options) as StreamFor<O["stderr"]>;
    } catch (error) {
      stdio.close();
      this.kill("SIGKILL");
      for (const stream of this.#streams()) stream.abort();
      throw new SpawnError(command, error);
    }
    if (signal === undefined) return;
    const kill = (): void => void this.kill(options.killSignal);
    if (signal.aborted) kill();
    else {
      onAbort(signal, kill);
      this.#forgetSignal = () => offAbort(signal, kill);
    }
  }

  /** Its process id; `undefined` when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Its exit code, or minus the number of the signal that ended it; `undefined` as long as it runs. */
  get exitCode(): number | undefined {
    return this.#end !== undefined && "status" in this.#end ? this.#end.status.code : undefined;
  }

  /**
   * Resolves with its exit code, minus the number of a signal that ended it; 0 for a real-time signal, for which Node has
   * no name. Its streams may hold output by then.
   * A timeout or an abort ends the wait, not the program.
   *
   * @throws TypeError, RangeError on options that are none, at once
   * @throws CalledProcessError `ERR_TW_CALLED_PROCESS` when that is not 0, unless `raiseError` is false
   * @throws SpawnError `ERR_TW_SPAWN` when it could not be started
   */
  waitForExit(options: WaitForExitOptions = {}): Promise<number> {
    checkWait(options);
    return this.#codeOf(this.#status(options), options.raiseError ?? true);
  }

  /**
   * Calls `fn(exitCode)` on the loop when it has ended; in the next turn if it has. Replaces an earlier one. Not called
   * when it could not be started, or the loop is closed by then.
   *
   * @throws TypeError when `fn` is not a function; LoopClosedError `ERR_TW_LOOP_CLOSED`
   */
  setExitCallback(fn: (exitCode: number) => void): void {
    checkFunction("An exit callback", fn);
    if (this.#loop.closed) throw new LoopClosedError("setExitCallback");
    this.#exitCallback = AsyncResource.bind(fn);
    this.#callBack();
  }

  /** Sends a signal. Returns false when there is no process to send it to: it has ended, or did not start. */
  kill(signal: NodeJS.Signals = "SIGTERM"): boolean {
    // A program that did not start has no pid, and Node would signal whatever stands in its place: 0 is our own group.
    return this.#end === undefined && this.#child.pid !== undefined && this.#child.kill(signal);
  }

  /** Kills it if it still runs, waits for its end, and closes its streams. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.#status({}).catch(() => undefined);
    for (const stream of this.#streams()) stream.abort();
  }

  #streams(): IOStream[] {
    return [this.stdin, this.stdout, this.stderr].filter((stream) => stream !== undefined);
  }

  #status(options: WaitOptions): Promise<ExitStatus> {
    if (options.signal?.aborted) return Promise.reject(options.signal.reason);
    if (this.#end === undefined) {
      return this.#waiters.wait(undefined, options, timeOut(options, "in Subprocess.waitForExit()"));
    }
    return "status" in this.#end ? Promise.resolve(this.#end.status) : Promise.reject(this.#end.failure);
  }

  async #codeOf(ended: Promise<ExitStatus>, raiseError: boolean): Promise<number> {
    const status = await ended;
    if (raiseError && status.code !== 0) throw new CalledProcessError(this.#command, status);
    return status.code;
  }

  #exited(status: ExitStatus): void {
    this.#end = { status };
    this.#forgetSignal?.();
    while (this.#waiters.wake(status));
    this.#callBack();
  }

  /** Errors of a process that runs (a signal that may not be sent) are the business of whoever caused them. */
  #failed(error: unknown): void {
    if (this.#child.pid !== undefined || this.#end !== undefined) return;
    const failure = new SpawnError(this.#command, error);
    this.#end = { failure };
    this.#forgetSignal?.();
    while (this.#waiters.fail(failure));
    for (const stream of this.#streams()) stream.abort(failure);
  }

  #callBack(): void {
    const code = this.exitCode;
    if (code === undefined || this.#exitCallback === undefined) return;
    // A program outlives its loop: then nobody is left to be called.
    if (!this.#loop.closed) this.#loop.addCallback(this.#exitCallback, code);
    this.#exitCallback = undefined;
  }
}

function openStdio(
  command: string,
  loop: IOLoop,
  redirections: readonly Redirection[],
  engine: "native" | "node" | undefined,
): Stdio {
  try {
    return new Stdio(loop, redirections, engine);
  } catch (error) {
    if (isTwError(error)) throw error;
    throw new SpawnError(command, error);
  }
}

function start(
  command: string,
  args: readonly string[],
  { cwd, env }: SubprocessOptions,
  stdio: Stdio,
): ChildProcess {
  try {
    return spawn(command, args, {
      stdio: stdio.forChild,
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
    });
  } catch (error) {
    stdio.close();
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    throw new SpawnError(command, error);
  } finally {
    stdio.closeTheirs();
  }
}
