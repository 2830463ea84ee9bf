// Children as processes of node:cluster: it gives them the channel on which the node engine shares its sockets, and ends
// them when their parent is gone.

import cluster, { type Worker } from "node:cluster";
import { exitStatus, UNEXPLAINED } from "./exit-status.js";
import { expectFarewell } from "./farewell.js";
import type { Child, ChildEnd } from "./supervisor.js";
import { FIRST_FD, type SocketPlan } from "./task-sockets.js";

/** What a child is told in its environment. */
export interface TaskEnvironment {
  readonly id: number;
  readonly sockets: SocketPlan;
}

/** The same as the child finds it. */
export interface ChildEnvironment extends TaskEnvironment {
  /** See farewell.ts. */
  readonly farewellFd: number;
}

const VARIABLE = "TW_TASK";

/** Starts this program again as the child of a task. */
export function spawnTask(
  task: TaskEnvironment,
  descriptors: readonly number[],
  onEnd: (end: ChildEnd) => void,
): Child {
  // The children accept from one socket that the parent holds, rather than the parent accepting and dealing out: a
  // connection that is dealt to a child which dies that moment is answered by nobody, and never closed.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ stdio: ["inherit", "inherit", "inherit", "ipc", ...descriptors, "pipe"] });
  const farewellFd = FIRST_FD + descriptors.length;
  const worker = cluster.fork({ [VARIABLE]: JSON.stringify({ ...task, farewellFd }) });
  whenEnded(worker, farewellFd, onEnd);
  return {
    pid: worker.process.pid,
    kill(signal) {
      // A child that did not start has no pid, and Node would signal whatever stands in its place: 0 is our own group.
      if (worker.process.pid !== undefined) worker.process.kill(signal);
    },
  };
}

function whenEnded(worker: Worker, farewellFd: number, onEnd: (end: ChildEnd) => void): void {
  const whenKnown = expectFarewell(worker.process, farewellFd);
  worker.once("exit", (code: number | null, signal: string | null) => {
    if (code !== 0) onEnd({ status: exitStatus(code, signal) });
    else whenKnown((went) => onEnd({ status: went ? exitStatus(0, null) : UNEXPLAINED }));
  });
  // A child that could not be started has no exit; one that was has its exit after any other error.
  worker.on("error", (failure) => {
    if (worker.process.pid === undefined) onEnd({ failure });
  });
}

/** The task that this process is the child for; `undefined` in any other process, also in a child's own children. */
export function taskEnvironment(): ChildEnvironment | undefined {
  const text = process.env[VARIABLE];
  if (!cluster.isWorker || text === undefined) return undefined;
  return JSON.parse(text) as ChildEnvironment;
}

/**
 * In a child: whether its channel to the parent keeps it alive. It does not, so that a child ends when its work has
 * ended; but while it asks for a socket over the channel there is nothing else that would.
 */
export function holdByChannel(hold: boolean): void {
  if (hold) process.channel?.ref();
  else process.channel?.unref();
}
