// Several processes for one server (Tornado's process.fork_processes).
//
//   node server.mjs ── forkProcesses(2) ─┬─► node server.mjs ── forkProcesses(2) resolves with 0 ──► serves
//        │  supervises, never returns    └─► node server.mjs ── forkProcesses(2) resolves with 1 ──► serves
//        └─ SIGTERM ──► sent to both, waits for both ──► exits with 0
//
// JavaScript cannot fork: a child is the same program run again, up to the same call.

import cluster from "node:cluster";
import { isMainThread } from "node:worker_threads";
import { IOLoop, LoopClosedError, type LoopSignal } from "@tw/ioloop";
import type { ListeningSocket } from "@tw/tcp";
import { checkDurationMs, checkInteger, checkLoop, checkOptions } from "@tw/util";
import { holdByChannel, spawnTask, taskEnvironment } from "./cluster-child.js";
import { cpuCount } from "./cpu-count.js";
import { ForkError } from "./errors.js";
import { promiseFarewell } from "./farewell.js";
import { Supervisor } from "./supervisor.js";
import { checkTaskListen, HeldSockets, socketsOf, type TaskListen } from "./task-sockets.js";

/** Options of {@link forkProcesses}. */
export interface ForkOptions {
  /**
   * How often children that crashed (a signal, an exit code other than 0, no `exit` event) are started again, all of them
   * together. One more, and the parent gives up: a program that cannot live is not started for ever. One that the system
   * cannot start (`EMFILE`, `EAGAIN`) counts as well, and is tried again after a second. @default 100
   */
  readonly maxRestarts?: number;
  /** What all children listen on; they take it with {@link taskSockets}. */
  readonly listen?: TaskListen | readonly TaskListen[];
  /**
   * Milliseconds that children may take to end after a signal; then they are killed. A child's own `IOLoop.start()`
   * takes 30 s at most, unless told otherwise. @default 35000
   */
  readonly stopTimeoutMs?: number;
  /** The parent's loop. @default IOLoop.current() */
  readonly loop?: IOLoop;
}

const DEFAULT_MAX_RESTARTS = 100;
const DEFAULT_STOP_TIMEOUT_MS = 35_000;
/** More processes than this on one machine are a mistake. */
const MAX_PROCESSES = 1024;

/**
 * Runs this program in `count` child processes (0: one per processor). In a child it resolves with the number of its
 * task, from 0 on. In the parent it never resolves: the parent looks after the children and then exits.
 *
 * A child that crashes is replaced by another one with the same number; one that exits with 0 is not. (An end without its
 * `exit` event is a crash: Node reports 0 of a process that a real-time signal has killed.) When all have ended, the parent
 * exits with 0. SIGTERM and SIGINT are passed on, and the parent waits until the children, whose `IOLoop.start()` drains
 * them, have ended. A second signal, or `stopTimeoutMs`, kills them. A child does not outlive a parent that dies.
 *
 * Call it early, and before anything that only the children are to do: the program runs again from its beginning.
 *
 * @throws TypeError, RangeError on bad arguments, at once; TwError `ERR_TW_ENGINE`, too
 * @throws ForkError `ERR_TW_FORK` in a worker thread; LoopRunningError when the parent's loop has been started
 * @throws TooManyRestartsError `ERR_TW_TOO_MANY_RESTARTS`, in the parent, when all children have ended
 * @throws SpawnError `ERR_TW_SPAWN`, in the parent, when it may not start children, and all that it has have ended
 * @throws SystemError `EADDRINUSE` and so on, in the parent, when it cannot listen
 * @example
 * const id = await forkProcesses(0, { listen: { port: 8888 } });
 * const server = new TCPServer(serve);
 * server.addSockets(await taskSockets());
 * IOLoop.current().onStop(() => server.drain());
 * await IOLoop.current().start();
 */
export function forkProcesses(count = 0, options: ForkOptions = {}): Promise<number> {
  checkOptions("options", options, { number: "maxRestarts", array: "listen", IOLoop: "loop" });
  const {
    maxRestarts = DEFAULT_MAX_RESTARTS,
    stopTimeoutMs = DEFAULT_STOP_TIMEOUT_MS,
    listen = [],
  } = options;
  checkInteger("count", count, 0, MAX_PROCESSES);
  checkInteger("maxRestarts", maxRestarts);
  checkDurationMs("stopTimeoutMs", stopTimeoutMs);
  checkLoop(options.loop);
  const listens = [listen].flat() as TaskListen[];
  listens.forEach(checkTaskListen);
  if (!isMainThread) throw new ForkError("forkProcesses() runs in the main thread only");
  const task = taskEnvironment();
  if (task !== undefined) {
    holdByChannel(false);
    promiseFarewell(task.farewellFd);
    return Promise.resolve(task.id);
  }
  if (!cluster.isPrimary) throw new ForkError("This process is a worker of somebody else's node:cluster");
  return supervise(count === 0 ? cpuCount() : count, maxRestarts, stopTimeoutMs, listens, options.loop);
}

/** The number of the task that this process runs, from 0 on; `undefined` in the parent and without `forkProcesses`. */
export function taskId(): number | undefined {
  return taskEnvironment()?.id;
}

/**
 * In a child: the sockets of `listen`, for `TCPServer.addSockets`. All children share the ports: on the native engine
 * by `SO_REUSEPORT`, on the other through `node:cluster`. They can be had once: two owners of one descriptor would each
 * close it.
 *
 * @throws ForkError `ERR_TW_FORK` where there is no task, or when it was called before; LoopClosedError `ERR_TW_LOOP_CLOSED`
 */
export async function taskSockets(options: { readonly loop?: IOLoop } = {}): Promise<ListeningSocket[]> {
  checkOptions("options", options, { IOLoop: "loop" });
  checkLoop(options.loop);
  const task = taskEnvironment();
  if (task === undefined) throw new ForkError("taskSockets() is for the children of forkProcesses()");
  const { loop = IOLoop.current() } = options;
  if (loop.closed) throw new LoopClosedError("taskSockets");
  if (taken) throw new ForkError("taskSockets() was called before: the sockets of a task can be had once");
  taken = true;
  holdByChannel(true);
  try {
    return await socketsOf(task.sockets, loop);
  } catch (error) {
    // Ports may be free the next time; descriptors have been closed, and may be somebody else's by then.
    taken = task.sockets.some((part) => "fd" in part);
    throw error;
  } finally {
    holdByChannel(false);
  }
}

/** Whether the sockets of this task have an owner. */
let taken = false;

async function supervise(
  count: number,
  maxRestarts: number,
  stopTimeoutMs: number,
  listens: readonly TaskListen[],
  loop: IOLoop = IOLoop.current(),
): Promise<never> {
  const held = await HeldSockets.bind(count, listens);
  const supervisor = new Supervisor({
    count,
    maxRestarts,
    stopTimeoutMs,
    loop,
    spawn: (id, onEnd) => spawnTask({ id, sockets: held.plan(id) }, held.descriptors(id), onEnd),
    onTaskEnd: (id) => void held.closeTask(id),
  });
  const onStop = async (signal: LoopSignal): Promise<void> => {
    // Ours first: when a child then closes its own, nobody waits in vain for a connection.
    await held.close();
    if (signal === "SIGINT" && hasTerminal()) supervisor.stopRestarting();
    else supervisor.stop("SIGTERM");
    await supervisor.finished.catch(() => undefined);
  };
  let forget = (): void => undefined;
  let running: Promise<void>;
  try {
    forget = loop.onStop(onStop);
    running = loop.start({ stopTimeoutMs });
  } catch (error) {
    // Somebody has started the loop, or closed it: whoever goes on after that must find the ports free.
    forget();
    await held.close();
    throw error;
  }
  supervisor.start();
  supervisor.finished.then(
    () => loop.stop(),
    () => loop.stop(),
  );
  await running;
  forget();
  // Nobody is left, but where the time was up or a second signal came.
  supervisor.stop("SIGKILL");
  await supervisor.finished;
  process.exit(0);
}

/** A terminal sends Ctrl-C to all processes of its group: sent twice, it would end the children's own grace. */
function hasTerminal(): boolean {
  return process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
}
