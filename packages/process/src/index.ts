export { cpuCount } from "./cpu-count.js";
export { CalledProcessError, ForkError, SpawnError, TooManyRestartsError } from "./errors.js";
export { type ForkOptions, forkProcesses, taskId, taskSockets } from "./fork-processes.js";
export { type StreamFor, Subprocess, type WaitForExitOptions } from "./subprocess.js";
export type { Redirection, SubprocessOptions } from "./subprocess-options.js";
export type { TaskListen } from "./task-sockets.js";
