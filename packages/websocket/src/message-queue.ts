// Messages for whoever reads them one by one. It holds one: the next is not read from the network before this one was
// taken, so that a slow reader slows its peer.

import { Deferred, TwError } from "@tw/util";
import type { Message } from "./message.js";

/** Hands messages from the connection to a reader. */
export class MessageQueue {
  #message: Message | undefined;
  #taken: Deferred | undefined;
  #reader: Deferred<Message | null> | undefined;
  #ended = false;

  /** Takes a message, or drops it after {@link end}; a promise resolves when it was read. */
  push(message: Message): Promise<void> | undefined {
    if (this.#ended) return undefined;
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      reader.resolve(message);
      return undefined;
    }
    this.#message = message;
    this.#taken = new Deferred();
    return this.#taken.promise;
  }

  /** No message is taken any more; one that was not read yet still can be. Nobody waits for that any longer. */
  end(): void {
    this.#ended = true;
    this.#taken?.resolve();
    this.#reader?.resolve(null);
    this.#reader = undefined;
  }

  /** The next message, or `null` at the end. @throws TwError (rejects) while another read waits */
  async read(): Promise<Message | null> {
    const message = this.#message;
    if (message !== undefined) {
      this.#message = undefined;
      this.#taken?.resolve();
      return message;
    }
    if (this.#ended) return null;
    if (this.#reader !== undefined)
      throw new TwError("ERR_TW_WEBSOCKET_BUSY", "Another readMessage() is waiting");
    this.#reader = new Deferred();
    return await this.#reader.promise;
  }
}
