// Children as processes of node:cluster: it gives them the channel on which the node engine shares its sockets, and ends
// them when their parent is gone.

import cluster, { type Worker } from "node:cluster";
import { type ExitStatus, exitStatus } from "./exit-status.js";
import type { Child } from "./supervisor.js";
import type { SocketPlan } from "./task-sockets.js";

/** What a child is told in its environment. */
export interface TaskEnvironment {
  readonly id: number;
  readonly sockets: SocketPlan;
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
  cluster.setupPrimary({ stdio: ["inherit", "inherit", "inherit", "ipc", ...descriptors] });
  const worker = cluster.fork({ [VARIABLE]: JSON.stringify(task) });
  whenEnded(worker, onExit);
  return {
    pid: worker.process.pid,
    kill(signal) {
      worker.process.kill(signal);
    },
  };
}

function whenEnded(worker: Worker, onExit: (status: ExitStatus) => void): void {
  worker.once("exit", (code: number | null, signal: string | null) => onExit(exitStatus(code, signal)));
  // A child that could not be started has no exit; one that was has its exit after any other error.
  worker.on("error", () => {
    if (worker.process.pid === undefined) onExit({ code: 1, signal: undefined });
  });
}

/** The task that this process is the child for; `undefined` in any other process, also in a child's own children. */
export function taskEnvironment(): TaskEnvironment | undefined {
  const text = process.env[VARIABLE];
  if (!cluster.isWorker || text === undefined) return undefined;
  return JSON.parse(text) as TaskEnvironment;
}

/**
 * In a child: whether its channel to the parent keeps it alive. It does not, so that a child ends when its work has
 * ended; but while it asks for a socket over the channel there is nothing else that would.
 */
export function holdByChannel(hold: boolean): void {
  if (hold) process.channel?.ref();
  else process.channel?.unref();
}
