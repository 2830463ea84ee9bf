// What a pool and its threads tell each other. Types only: the thread's entry is one file that imports nothing of ours.

import type { MessagePort } from "node:worker_threads";
import type { TaskErrorCode } from "./errors.js";

/** What a thread is started with. The mark tells it from threads that merely load the module. */
export interface ThreadStart {
  readonly twExecutor: true;
  readonly port: MessagePort;
  /** Shared with the pool; its one number becomes 1 before an order is looked at, and so tells those that never began. */
  readonly begun: Int32Array;
}

/** One call of one exported function. */
export interface Order {
  /** An absolute URL. */
  readonly module: string;
  readonly name: string;
  readonly args: readonly unknown[];
  /** Where the answer goes, moving what it moves; without one it is returned. */
  readonly reply?: MessagePort;
}

/** What became of it. */
export type Answer =
  | { readonly at: "value"; readonly value: unknown }
  | { readonly at: "thrown"; readonly thrown: Thrown };

/** Something that was thrown, in a shape that survives cloning with all that hangs on it. */
export type Thrown =
  | { readonly kind: "value"; readonly value: unknown }
  | {
      readonly kind: "fault";
      readonly code: TaskErrorCode;
      readonly message: string;
      readonly cause?: Thrown;
    }
  | ThrownError;

/** Sent once however often it is met, so that rings stay rings: cloning keeps what is one object one. */
export interface ThrownError {
  readonly kind: "error";
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Its nearest built-in class, such as `TypeError` or `DOMException`. */
  readonly base: string;
  /** Whether it is a `TwError`: then `code` is among the properties. */
  readonly tw: boolean;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly cause?: Thrown;
  /** Those of an `AggregateError`. */
  readonly errors?: readonly Thrown[];
}
