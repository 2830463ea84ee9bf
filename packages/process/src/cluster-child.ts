// Children as processes of node:cluster: it gives them the channel on which the node engine shares its sockets, and ends
// them when their parent is gone.

import cluster, { type Worker } from "node:cluster";
import { type ExitStatus, exitStatus, UNEXPLAINED } from "./exit-status.js";
import { expectFarewell } from "./farewell.js";
import type { Child } from "./supervisor.js";
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
  onExit: (status: ExitStatus) => void,
): Child {
  // The children accept from one socket that the parent holds, rather than the parent accepting and dealing out: a
  // connection that is dealt to a child which dies that moment is answered by nobody, and never closed.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ stdio: ["inherit", "inherit", "inherit", "ipc", ...descriptors, "pipe"] });
  const farewellFd = FIRST_FD + descriptors.length;
  const worker = cluster.fork({ [VARIABLE]: JSON.stringify({ ...task, farewellFd }) });
  whenEnded(worker, farewellFd, onExit);
  return {
    pid: worker.process.pid,
    kill(signal) {
      worker.process.kill(signal);
    },
  };
}

function whenEnded(worker: Worker, farewellFd: number, onExit: (status: ExitStatus) => void): void {
  const whenKnown = expectFarewell(worker.process, farewellFd);
  worker.once("exit", (code: number | null, signal: string | null) => {
    if (code !== 0) onExit(exitStatus(code, signal));
    else whenKnown((went) => onExit(went ? exitStatus(0, null) : UNEXPLAINED));
  });
  // A child that could not be started has no exit; one that was has its exit after any other error.
  worker.on("error", () => {
    if (worker.process.pid === undefined) onExit({ code: 1, signal: undefined });
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
