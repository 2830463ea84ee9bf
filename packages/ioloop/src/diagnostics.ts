// What one may observe of every layer: messages on `node:diagnostics_channel`, listed in docs/diagnostics.md. A layer
// publishes only while somebody has subscribed, so that nobody pays when nobody looks.
//
// Node reports what a subscriber throws as an uncaught exception, a turn later and whoever published: that ends the
// process. `observe` subscribes so that it is logged instead.

import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { checkFunction, isPromiseLike, type Logger, logSafely } from "@tw/util";
import type { HandlerHandle } from "./handlers.js";
import { IOLoop } from "./ioloop.js";
import { checkLogger } from "./loop-options.js";
import type { PeriodicCallback } from "./periodic.js";
import type { Timeout } from "./timers.js";

/** A channel as its layer has it. */
export interface DiagnosticsChannel<Message> {
  readonly hasSubscribers: boolean;
  publish(message: Message): void;
}

/** A descriptor is watched. */
export interface HandlerAddedMessage {
  readonly fd: number;
  /** {@link READ}, {@link WRITE}, {@link ERROR}, added up. */
  readonly events: number;
  /** The same in both messages of a handler. */
  readonly handle: HandlerHandle;
}

/** A descriptor is watched no longer. */
export interface HandlerRemovedMessage {
  readonly fd: number;
  readonly handle: HandlerHandle;
}

/** A timer was set. It tells itself whether it is still `pending`. */
export interface TimerAddedMessage {
  readonly loop: IOLoop;
  readonly timer: Timeout;
}

/** A periodic callback was started. It tells itself whether it still `isRunning`: closing its loop ends it without a message. */
export interface PeriodicStartedMessage {
  readonly loop: IOLoop;
  readonly periodic: PeriodicCallback;
}

/** A periodic callback that was started has been stopped. */
export interface PeriodicStoppedMessage {
  readonly loop: IOLoop;
  readonly periodic: PeriodicCallback;
}

/** Options of {@link observe}. */
export interface ObserveOptions {
  /** Where goes what the observer throws. @default the logger of `IOLoop.current()` */
  readonly logger?: Logger;
}

/**
 * Calls `observer` with every message of a channel, until the result is disposed of. What it throws, or its promise
 * rejects with, is logged and ends neither the process nor what is observed.
 *
 * It runs in the midst of the layer's work, in the async context of what is published: be quick, change nothing, copy
 * the bytes that you keep.
 *
 * `Message` is the type that docs/diagnostics.md names beside the channel.
 *
 * @throws TypeError when `name` is not a string, `observer` not a function, or `logger` no logger
 * @example
 * using _ = observe<StreamClosedMessage>("tw:iostream:closed", ({ stream, error }) => {
 *   console.log("closed", stream.info.engine, error);
 * });
 */
export function observe<Message = unknown>(
  name: string,
  observer: (message: Message) => unknown,
  options: ObserveOptions = {},
): Disposable {
  if (typeof name !== "string") throw new TypeError(`A channel has a name, got ${typeof name}`);
  checkFunction("An observer", observer);
  const { logger } = options;
  if (logger !== undefined) checkLogger(logger);
  const failed = (err: unknown): void => {
    logSafely(
      logger ?? IOLoop.current().logger,
      "error",
      { err },
      `Uncaught exception in an observer of ${name}`,
    );
  };
  const listener = (message: unknown): void => {
    try {
      const result = observer(message as Message);
      if (isPromiseLike(result)) result.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  };
  subscribe(name, listener);
  return { [Symbol.dispose]: () => void unsubscribe(name, listener) };
}
