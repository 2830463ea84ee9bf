// A page made of bytes: enough of RFC 6455 on a bare socket to talk to the room, so that the tests share no code with
// what they examine.

import { createConnection, type Socket } from "node:net";
import type { ClientMessage, ServerMessage } from "../../src/protocol.js";

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export class RawPage {
  readonly #socket: Socket;
  readonly #heard: ServerMessage[] = [];
  readonly #waiting: ((message: ServerMessage) => void)[] = [];
  readonly #pongs: boolean;
  #pings = 0;
  #onPing: (() => void) | undefined;
  #buffer = Buffer.alloc(0);
  #upgraded = false;
  #close: Closed | undefined;
  /** The response to the handshake. */
  readonly whenOpen: Promise<string>;
  /** Resolves when the connection is gone; 1006 without a close frame. */
  readonly whenClosed: Promise<Closed>;

  constructor(port: number, headers: Readonly<Record<string, string>> = {}, pongs = true) {
    this.#pongs = pongs;
    const fields = { Host: `localhost:${port}`, Origin: `http://localhost:${port}`, ...headers };
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#socket = createConnection(port, "127.0.0.1", () => {
      this.#socket.write(
        `GET /socket HTTP/1.1\r\n${lines.join("")}Connection: Upgrade\r\nUpgrade: websocket\r\n` +
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
    });
    this.#socket.on("error", () => undefined);
    this.whenClosed = new Promise((resolve) => {
      this.#socket.on("close", () => resolve(this.#close ?? { code: 1006, reason: "" }));
    });
    this.whenOpen = new Promise((resolve) => {
      this.#socket.on("data", (chunk) => {
        this.#buffer = Buffer.concat([this.#buffer, chunk]);
        if (!this.#upgraded) {
          const end = this.#buffer.indexOf("\r\n\r\n");
          if (end < 0) return;
          this.#upgraded = true;
          const head = this.#buffer.toString("latin1", 0, end);
          resolve(head);
          if (!head.startsWith("HTTP/1.1 101 ")) return void this.#socket.end();
          this.#buffer = this.#buffer.subarray(end + 4);
        }
        while (this.#readFrame());
      });
    });
  }

  /** Opens a page and goes in. */
  static async enter(port: number, name: string, { pongs = true } = {}): Promise<RawPage> {
    const page = new RawPage(port, {}, pongs);
    await page.whenOpen;
    page.tell({ type: "join", name });
    return page;
  }

  tell(message: ClientMessage): void {
    this.sendText(JSON.stringify(message));
  }

  sendText(text: string): void {
    this.#sendFrame(0x1, Buffer.from(text));
  }

  /** The next message that nobody has asked for yet. */
  next(): Promise<ServerMessage> {
    const message = this.#heard.shift();
    if (message !== undefined) return Promise.resolve(message);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Messages that came and were not asked for. */
  get unasked(): number {
    return this.#heard.length;
  }

  async take(count: number): Promise<ServerMessage[]> {
    const messages: ServerMessage[] = [];
    while (messages.length < count) messages.push(await this.next());
    return messages;
  }

  /** Resolves when so many pings have come. */
  pings(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#onPing = () => {
        if (this.#pings >= count) resolve();
      };
      this.#onPing();
    });
  }

  /** Stops reading: the kernel's window closes. */
  stopReading(): void {
    this.#socket.pause();
  }

  readAgain(): void {
    this.#socket.resume();
  }

  close(code = 1000): void {
    const payload = Buffer.alloc(2);
    payload.writeUInt16BE(code);
    this.#sendFrame(0x8, payload);
  }

  /** Goes away without a word. */
  vanish(): void {
    this.#socket.resetAndDestroy();
  }

  #sendFrame(opcode: number, payload: Buffer): void {
    const mask = Buffer.from([1, 2, 3, 4]);
    const long = payload.length > 125;
    const head = Buffer.from([0x80 | opcode, 0x80 | (long ? 126 : payload.length), 0, 0]);
    if (long) head.writeUInt16BE(payload.length, 2);
    const masked = payload.map((byte, index) => byte ^ (mask[index & 3] ?? 0));
    this.#socket.write(Buffer.concat([head.subarray(0, long ? 4 : 2), mask, masked]));
  }

  /** Reads one unmasked frame; false when that takes more bytes. */
  #readFrame(): boolean {
    if (this.#buffer.length < 2) return false;
    const short = this.#buffer.readUInt8(1);
    const at = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (this.#buffer.length < at) return false;
    const length =
      short < 126
        ? short
        : short === 126
          ? this.#buffer.readUInt16BE(2)
          : Number(this.#buffer.readBigUInt64BE(2));
    if (this.#buffer.length < at + length) return false;
    const opcode = this.#buffer.readUInt8(0) & 0xf;
    const payload = this.#buffer.subarray(at, at + length);
    this.#buffer = this.#buffer.subarray(at + length);
    if (opcode === 0x1) this.#hear(JSON.parse(payload.toString()));
    if (opcode === 0x9) this.#pinged(payload);
    if (opcode === 0x8) this.#readClose(payload);
    return true;
  }

  #pinged(payload: Buffer): void {
    if (this.#pongs) this.#sendFrame(0xa, payload);
    this.#pings++;
    this.#onPing?.();
  }

  #hear(message: ServerMessage): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#heard.push(message);
    else waiting(message);
  }

  #readClose(payload: Buffer): void {
    const code = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    const answered = this.#close !== undefined;
    this.#close = { code, reason: payload.subarray(2).toString() };
    if (!answered) this.close(code === 1005 ? 1000 : code);
    this.#socket.end();
  }
}
