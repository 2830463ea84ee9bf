export { Condition } from "./condition.js";
export { NotAcquiredError } from "./errors.js";
export { Event } from "./event.js";
export type { Guard } from "./guard.js";
export { Lock } from "./lock.js";
export { BoundedSemaphore, Semaphore } from "./semaphore.js";
