// Feeding a receiver: views go straight through, without a promise or a copy.

import { checkFunction, isBytes, isPromiseLike } from "@tw/util";
import { received } from "../channels.js";
import { StreamBusyError } from "../errors.js";
import type { IOStream } from "../iostream.js";
import { ReadBuffer } from "../read-buffer.js";
import type { StreamReceiver } from "../receiver.js";
import { lending } from "./lending.js";
import { isGone } from "./life.js";
import { ReadingStream } from "./reading.js";

/** A stream that feeds a receiver. */
export abstract class FedStream extends ReadingStream {
  /**
   * Gives everything that arrives from now on to `receiver`, and takes it from the receiver before. What is buffered is
   * delivered first, during this call; then an end or a close that happened already.
   *
   * @throws TypeError for what has no `onBytes`; StreamBusyError while a read is pending
   */
  attach(receiver: StreamReceiver): void {
    checkFunction("onBytes of a receiver", receiver?.onBytes);
    if (this.read !== undefined) throw new StreamBusyError("Cannot attach: a read is pending");
    this.receiver = receiver;
    this.unhold();
    if (this.input === "told") this.input = "ended";
    this.deliver();
    this.remindOfDrain();
  }

  /**
   * Stops delivering and lifts a {@link pause}. `leftover` is what the receiver was given and has no use for: the next
   * owner sees it first. It is copied.
   *
   * @throws TypeError when `leftover` is no Uint8Array, and nothing has changed
   */
  detach(leftover?: Uint8Array): void {
    if (leftover !== undefined && !isBytes(leftover))
      throw new TypeError(
        `leftover must be a Uint8Array, got ${leftover === null ? "null" : typeof leftover}`,
      );
    this.receiver = undefined;
    this.unholdAll();
    if (leftover !== undefined && leftover.length > 0) {
      this.buffer ??= new ReadBuffer();
      this.buffer.prepend(leftover);
    }
    this.regulate();
  }

  /** @internal Called by the transport. */
  onBytes(view: Uint8Array): void | Promise<void> {
    if (received.hasSubscribers) received.publish({ stream: this as unknown as IOStream, view });
    const { receiver } = this;
    if (receiver === undefined || this.buffer !== undefined || this.closed) return this.store(view);
    const { activity } = this.loop;
    activity?.enter(receiver.constructor);
    const outer = lending.view === undefined ? undefined : lending.interrupt();
    lending.view = view;
    lending.stream = this;
    this.enter();
    let result: unknown;
    try {
      result = receiver.onBytes(view);
    } catch (error) {
      this.threw(error);
    } finally {
      this.leave();
      this.ownLent();
      lending.view = undefined;
      lending.stream = undefined;
      if (outer !== undefined) lending.goOn(outer);
      activity?.leave();
    }
    if (isPromiseLike(result)) return this.lease(view, result);
  }

  /** A lease on bytes of the transport: it holds more back itself. */
  private async lease(view: Uint8Array, result: PromiseLike<unknown>): Promise<void> {
    lending.hold(view);
    try {
      await result;
    } catch (error) {
      this.threw(error);
    } finally {
      lending.release(view);
    }
  }

  /** @internal Called by the transport. */
  onEnd(): void {
    this.input = "ended";
    if (this.receiver !== undefined) this.deliver();
    else if (!this.finishRead()) this.endShort();
  }

  protected deliver(): void {
    const { receiver } = this;
    if (receiver === undefined) return;
    const outermost = this.enter();
    try {
      if (this.buffer !== undefined && this.deliverable) {
        const bytes = this.buffer.takeAll();
        this.buffer = undefined;
        const result = receiver.onBytes(bytes);
        if (isPromiseLike(result) && this.receiver === receiver) this.holdFor(receiver, result);
      }
      // Each call may have attached another.
      if (this.receiver === receiver) this.tellEnd(receiver);
      if (isGone(this.life) && this.receiver === receiver) this.tellClose();
    } catch (error) {
      this.threw(error);
    }
    this.regulate();
    if (outermost) this.leave();
  }

  /** A lease on bytes of the buffer: nothing more comes until it ends. */
  private holdFor(receiver: StreamReceiver, lease: PromiseLike<unknown>): void {
    this.hold();
    lease.then(
      () => {
        if (this.receiver !== receiver) return;
        this.unhold();
        this.deliver();
      },
      (error) => this.threw(error),
    );
  }

  private tellEnd(receiver: StreamReceiver): void {
    if (this.input !== "ended" || this.buffer !== undefined || !this.deliverable) return;
    this.input = "told";
    receiver.onEnd();
  }

  /** The last call to a receiver. */
  protected tellClose(unread?: Uint8Array): void {
    const { receiver } = this;
    this.receiver = undefined;
    receiver?.onClose(this.error, unread);
  }
}
