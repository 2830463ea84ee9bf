export { QueueEmptyError, QueueFullError, TaskDoneError } from "./errors.js";
export type { Compare } from "./heap.js";
export { type Priority, PriorityQueue, type PriorityQueueOptions } from "./priority-queue.js";
export { LifoQueue, Queue, type QueueOptions } from "./queue.js";
export type { Store } from "./store.js";
