// One page's WebSocket: says who it is, then speaks. It knows frames and timers; the room knows people and rules.

import { IOLoop, type Message, type Settings, type Timeout, WebSocketHandler } from "@tw/tornado";
import { MESSAGE_BYTES, type SocketLimits } from "./limits.js";
import { readClientMessage } from "./protocol.js";
import type { Member, Room, Voice } from "./room.js";

/** What the handler needs of its application. */
export interface ChatSettings extends Settings {
  readonly room: Room;
  readonly sockets: Set<ChatSocket>;
  readonly socketLimits: SocketLimits;
}

export class ChatSocket extends WebSocketHandler<"/socket", ChatSettings> implements Voice {
  #member: Member | undefined;
  #timer: Timeout | undefined;
  #heard = true;

  override get maxMessageSize(): number {
    return MESSAGE_BYTES;
  }

  override async prepare(): Promise<void> {
    const { sockets, socketLimits } = this.settings;
    if (sockets.size < socketLimits.sockets) return;
    this.setStatus(503);
    this.setHeader("Retry-After", 10);
    await this.finish("Too many connections, try again later.\n");
  }

  override open(): void {
    const { sockets, socketLimits } = this.settings;
    sockets.add(this);
    const { joinWithinMs } = socketLimits;
    this.#timer = this.#later(joinWithinMs, () =>
      this.close(1008, `No name within ${joinWithinMs / 1000} s.`),
    );
  }

  onMessage(data: Message): void {
    this.#heard = true;
    const message = typeof data === "string" ? readClientMessage(data) : undefined;
    const { room } = this.settings;
    if (message?.type === "say" && this.#member !== undefined) room.say(this.#member, message.text);
    else if (message?.type === "join" && this.#member === undefined) this.#join(message.name, message.key);
    else this.close(1008, "That is not how a page of this chat speaks.");
  }

  override onPong(): void {
    this.#heard = true;
  }

  override onClose(): void {
    this.settings.sockets.delete(this);
    this.#stopTimer();
    if (this.#member !== undefined) this.settings.room.leave(this.#member, this);
  }

  /** Sends without waiting: how much may wait is the room's affair. */
  send(text: string): void {
    this.writeMessage(text);
  }

  #join(name: string, key: string | undefined): void {
    this.#stopTimer();
    this.#member = this.settings.room.join(this, name, key);
    if (this.#member !== undefined) this.#keepAlive();
  }

  /**
   * A phone that lost its network says nothing: whoever has not answered the last ping when the next is due is gone. What
   * waits in the kernel by then is heard first, or a busy server would blame its guests.
   */
  #keepAlive(): void {
    this.#timer = this.#later(this.settings.socketLimits.pingEveryMs, () => {
      IOLoop.current().afterPoll(() => this.#pingOrLeave());
    });
  }

  #pingOrLeave(): void {
    if (this.state !== "open") return;
    if (!this.#heard) {
      this.close(1001, "No answer.");
      return;
    }
    this.#heard = false;
    this.ping();
    this.#keepAlive();
  }

  #later(delayMs: number, fn: () => void): Timeout {
    return IOLoop.current().callLater(delayMs, fn);
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) IOLoop.current().removeTimeout(this.#timer);
    this.#timer = undefined;
  }
}
