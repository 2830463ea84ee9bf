export { ERROR, type Poller, READ, WRITE } from "@tw/poller";
export { HandlerError, type HandlerErrorCode, LoopRunningError, NoPollerError } from "./errors.js";
export type { FdHandler, HandlerHandle, Pollable } from "./handlers.js";
export type { LoopHost, LoopSignal, ScheduledTurn } from "./host.js";
export { IOLoop, type IOLoopOptions } from "./ioloop.js";
export type { Callback } from "./job.js";
export { NodeHost } from "./node-host.js";
export { STOP_TIMEOUT_MS, type StartOptions, type StopHook } from "./running.js";
export type { Timeout } from "./timers.js";
