// The loop's end: named callbacks that one other thread may schedule.
//
//   loop.threadHandle({ done }) ──postMessage(handle, [handle.port])──► openLoopHandle(handle)
//          done(42) ◄──────────── one turn of the loop ◄──────────────  .addCallbackFromThread("done", 42)

import { AsyncResource } from "node:async_hooks";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { checkFunction, checkInteger, checkOptions, Deferred, logSafely } from "@tw/util";
import { outsideContexts } from "../context.js";
import { type Callback, callCaught, type JobOwner } from "../job.js";
import { CALLBACK } from "../watchdog/memory.js";
import { CLOSED, PENDING, SHARED_LENGTH, type ThreadCallbacks, type ThreadMessage } from "./shared.js";

/** How much one handle may hold. */
export interface LoopHandleOptions {
  /**
   * Callbacks that were sent through the handle and have not run yet; one more throws `ERR_TW_HANDLE_FULL` in the
   * sending thread. A thread that is faster than the loop would fill its memory otherwise. @default 65536
   */
  readonly maxPending?: number;
}

/** The default of {@link LoopHandleOptions.maxPending}. */
export const MAX_PENDING = 65_536;

/** What arrives in the other thread, for {@link openLoopHandle}. */
export interface SentLoopHandle<C extends ThreadCallbacks = ThreadCallbacks> {
  readonly port: MessagePort;
  readonly names: readonly string[];
  readonly shared: Int32Array;
  readonly maxPending: number;
  /** Exists for the compiler only. */
  readonly callbacks?: C;
}

/** What a handle needs of its loop. */
export interface HandleOwner extends JobOwner {
  readonly closed: boolean;
  addCallback(fn: (index: number, args: readonly unknown[]) => unknown, ...args: ThreadMessage): void;
}

/**
 * Lets one other thread schedule named callbacks on this loop; `loop.threadHandle()` makes it.
 *
 * Send it once, by `postMessage` or `workerData`, with {@link port} in the transfer list: its own fields are what
 * goes. It does not hold the process unless {@link ref} is called, or while callbacks arrive. It closes itself when the
 * other thread ends; what that had sent is delivered first.
 */
export class LoopHandle<C extends ThreadCallbacks> implements SentLoopHandle<C>, AsyncDisposable {
  /** Exists for the compiler only. */
  declare readonly callbacks?: C;
  /** What the transfer list must name. */
  readonly port: MessagePort;
  readonly names: readonly string[];
  readonly shared: Int32Array = new Int32Array(
    new SharedArrayBuffer(SHARED_LENGTH * Int32Array.BYTES_PER_ELEMENT),
  );
  readonly maxPending: number;
  readonly #loop: HandleOwner;
  readonly #functions: readonly Callback[];
  readonly #receiver: MessagePort;
  /** Callbacks run in the context of whoever made the handle. */
  readonly #context = new AsyncResource("IOLoopThreadHandle");
  readonly #closed = new Deferred();
  /** Held by the user, and by callbacks that are on the way. */
  #wanted = false;
  #busy = false;
  /** Closed at this end. */
  #dropped = false;
  readonly #run: (index: number, args: readonly unknown[]) => unknown;

  constructor(loop: HandleOwner, callbacks: C, options: LoopHandleOptions = {}) {
    checkOptions("options", options, { number: "maxPending" });
    const { maxPending = MAX_PENDING } = options;
    checkInteger("maxPending", maxPending, 1, 2 ** 31 - 1);
    if (typeof callbacks !== "object" || callbacks === null || Array.isArray(callbacks)) {
      throw new TypeError("threadHandle() takes the callbacks by name: { done: (result) => … }");
    }
    const named = Object.entries(callbacks);
    for (const [name, fn] of named) checkFunction(`The callback ${JSON.stringify(name)}`, fn);
    this.#loop = loop;
    this.maxPending = maxPending;
    this.names = named.map(([name]) => name);
    this.#functions = named.map(([, fn]) => fn as Callback);
    this.#run = (index, args) => {
      this.#arrived();
      // By itself, so that the watchdog and the error hook are told of it and not of this.
      if (!this.#dropped) callCaught(loop, CALLBACK, this.#functions[index] as Callback, args);
    };
    const { port1, port2 } = outsideContexts(() => new MessageChannel());
    this.port = port2;
    this.#receiver = port1;
    port1.on("message", (message: unknown) => this.#receive(message));
    port1.on("messageerror", (err) => {
      this.#arrived();
      logSafely(loop.logger, "error", { err }, "Cannot read what another thread sent");
    });
    port1.on("close", () => this.#onClose());
    port1.unref();
  }

  /** Whether it has been closed, from either end. */
  get closed(): boolean {
    return Atomics.load(this.shared, CLOSED) === 1;
  }

  /** Resolves when it is closed, from either end, or because the other thread ended. Never rejects. */
  get whenClosed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Lets the handle keep the process alive (it does not at first). */
  ref(): this {
    this.#wanted = true;
    if (!this.closed) this.#receiver.ref();
    return this;
  }

  /** Lets the process end although the other thread may still schedule callbacks. */
  unref(): this {
    this.#wanted = false;
    if (!this.#busy) this.#receiver.unref();
    return this;
  }

  /**
   * Takes nothing more, and no callback is called again: what is on the way is dropped, here and in the other thread, which gets
   * `ERR_TW_HANDLE_CLOSED` from now on. What that thread sent before it closed its own end still runs. May be repeated.
   */
  close(): void {
    this.#dropped = true;
    Atomics.store(this.shared, CLOSED, 1);
    this.#receiver.close();
  }

  /** As {@link close}; resolves when it is closed. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return this.whenClosed;
  }

  /** The port can be misused by whoever has it, so what comes is looked at. */
  #receive(message: unknown): void {
    if (this.#loop.closed) return;
    if (!this.#isMessage(message)) {
      const message = "Ignored what came through the port of a loop's handle: send by openLoopHandle()";
      return logSafely(this.#loop.logger, "warn", undefined, message);
    }
    this.#hold();
    this.#context.runInAsyncScope(this.#loop.addCallback, this.#loop, this.#run, ...message);
  }

  /** Node delivers a thousand messages in a turn: the process must not end between them, nor before the word of the end. */
  #hold(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#receiver.ref();
  }

  #arrived(): void {
    if (Atomics.sub(this.shared, PENDING, 1) > 1 || !this.#busy) return;
    // The end of the port may be next in its queue, for the coming turn.
    outsideContexts(() => setImmediate(() => this.#release()));
  }

  #release(): void {
    if (!this.#busy || Atomics.load(this.shared, PENDING) > 0) return;
    this.#busy = false;
    if (!this.#wanted) this.#receiver.unref();
  }

  #isMessage(message: unknown): message is ThreadMessage {
    if (!Array.isArray(message) || message.length !== 2 || !Array.isArray(message[1])) return false;
    return Number.isInteger(message[0]) && message[0] >= 0 && message[0] < this.names.length;
  }

  #onClose(): void {
    Atomics.store(this.shared, CLOSED, 1);
    this.#closed.resolve();
  }
}

/** The open handles of one loop, which closes them with itself. */
export class LoopHandles {
  readonly #loop: HandleOwner;
  readonly #open = new Set<LoopHandle<never>>();

  constructor(loop: HandleOwner) {
    this.#loop = loop;
  }

  make<C extends ThreadCallbacks>(callbacks: C, options?: LoopHandleOptions): LoopHandle<C> {
    const handle = new LoopHandle(this.#loop, callbacks, options);
    this.#open.add(handle as LoopHandle<never>);
    void handle.whenClosed.then(() => this.#open.delete(handle as LoopHandle<never>));
    return handle;
  }

  close(): void {
    for (const handle of this.#open) handle.close();
  }
}
