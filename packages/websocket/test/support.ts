// What the tests share: an application on a loop of its own, over memory or sockets, and clients for it.

import type { HTTPServer } from "@tw/httpserver";
import { IOLoop } from "@tw/ioloop";
import { IOStream } from "@tw/iostream";
import { type MemoryPairOptions, memoryPair } from "@tw/iostream/transports";
import { TCPClient, useNetwork } from "@tw/tcp";
import { MemoryNetwork } from "@tw/tcp/testing";
import { nativeAvailable } from "@tw/tooling-testing";
import { Deferred, fromLatin1, type LogFields, type Logger } from "@tw/util";
import { Application, type RouteLike, type Settings } from "@tw/web";
import { afterEach, describe } from "vitest";
import {
  type Message,
  type WebSocketClientConnection,
  type WebSocketConnectOptions,
  WebSocketHandler,
  websocketConnect,
} from "../src/index.js";

export const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
export const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** A logger that keeps what it is told. */
export class MemoryLogger implements Logger {
  readonly lines: string[] = [];
  readonly debug = this.#method("debug");
  readonly info = this.#method("info");
  readonly warn = this.#method("warn");
  readonly error = this.#method("error");

  #method(level: string): (first: string | LogFields, message?: string) => void {
    return (first, message) =>
      void this.lines.push(`${level}: ${typeof first === "string" ? first : message}`);
  }
}

/** Keeps what happened and lets a test wait for it. */
export class Journal {
  readonly entries: string[] = [];
  #changed = new Deferred();

  add(entry: string): void {
    this.entries.push(entry);
    this.#changed.resolve();
    this.#changed = new Deferred();
  }

  /** Waits for an entry that begins so. */
  async until(start: string): Promise<readonly string[]> {
    while (!this.entries.some((entry) => entry.startsWith(start))) await this.#changed.promise;
    return this.entries;
  }
}

/** Echoes, and writes down what happens. */
export class Echo extends WebSocketHandler<string, Settings & { readonly journal?: Journal }> {
  override open(...args: string[]): void | Promise<void> {
    this.settings.journal?.add(`open ${args.join()}`.trim());
  }

  onMessage(message: Message): void | Promise<void> {
    return this.writeMessage(message);
  }

  override onPing(payload: Uint8Array): void {
    this.settings.journal?.add(`ping ${fromLatin1(payload)}`);
  }

  override onPong(payload: Uint8Array): void {
    this.settings.journal?.add(`pong ${fromLatin1(payload)}`);
  }

  override onClose(code: number, reason: string): void {
    this.settings.journal?.add(`close ${code} ${reason}`.trim());
  }
}

export type Carrier = "memory" | "native" | "node";

/** Applications and clients of one test, and their end. */
export class Bench {
  readonly carrier: Carrier;
  readonly #memory: MemoryPairOptions;
  #ends: (() => unknown)[] = [];
  loop = new IOLoop();
  logger = new MemoryLogger();
  journal = new Journal();
  port = 0;

  constructor(carrier: Carrier, memory: MemoryPairOptions = {}) {
    this.carrier = carrier;
    this.#memory = memory;
  }

  get #engine(): { engine?: "native" | "node" } {
    return this.carrier === "memory" ? {} : { engine: this.carrier };
  }

  async serve(routes: readonly RouteLike<never>[], settings: object = {}): Promise<HTTPServer> {
    this.logger = new MemoryLogger();
    this.loop = new IOLoop({ logger: this.logger });
    this.journal = new Journal();
    if (this.carrier === "memory") useNetwork(this.loop, new MemoryNetwork(this.loop, this.#memory));
    const all = { loop: this.loop, logger: this.logger, journal: this.journal, ...settings };
    const app = new Application(routes as never, all as never);
    const server = await app.listen(0, "127.0.0.1", this.#engine);
    this.port = server.port;
    this.#ends.push(() => server.close());
    return server;
  }

  async connect(path = "/", options: WebSocketConnectOptions = {}): Promise<WebSocketClientConnection> {
    const url = `ws://127.0.0.1:${this.port}${path}`;
    const socket = await websocketConnect(url, { loop: this.loop, ...this.#engine, ...options });
    this.#ends.push(() => socket.abort());
    return socket;
  }

  /** A client that knows nothing: sends the pieces and collects latin1 text. */
  async raw(): Promise<Raw> {
    const stream = await new TCPClient({ ...this.#engine, loop: this.loop }).connect("127.0.0.1", this.port);
    this.#ends.push(() => stream.abort());
    return new Raw(stream);
  }

  async tearDown(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }
}

export class Raw {
  readonly stream: IOStream;
  text = "";
  #changed = new Deferred();

  constructor(stream: IOStream) {
    this.stream = stream;
    const changed = () => {
      this.#changed.resolve();
      this.#changed = new Deferred();
    };
    stream.attach({
      onBytes: (view) => {
        this.text += fromLatin1(view);
        changed();
      },
      onEnd: () => stream.end(),
      onDrain() {},
      onClose: changed,
    });
  }

  async until(done: (text: string) => boolean): Promise<string> {
    while (!done(this.text) && !this.stream.closed) await this.#changed.promise;
    return this.text;
  }

  /** Asks for a WebSocket; fields may be changed or, with `undefined`, left out. Resolves with the head of the answer. */
  async handshake(
    fields: Record<string, string | undefined> = {},
    behind = "",
    method = "GET",
  ): Promise<string> {
    const all = {
      Host: "a",
      Upgrade: "websocket",
      Connection: "Upgrade",
      "Sec-WebSocket-Key": KEY,
      "Sec-WebSocket-Version": "13",
      ...fields,
    };
    let head = `${method} / HTTP/1.1\r\n`;
    for (const [name, value] of Object.entries(all)) if (value !== undefined) head += `${name}: ${value}\r\n`;
    this.stream.write(`${head}\r\n${behind}`);
    const text = await this.until((received) => received.includes("\r\n\r\n"));
    const end = text.indexOf("\r\n\r\n") + 4;
    this.text = this.text.slice(end);
    return text.slice(0, end);
  }

  /** Sends bytes given in hexadecimal. */
  send(hex: string): void {
    this.stream.write(Buffer.from(hex.replaceAll(" ", ""), "hex"));
  }

  /** Waits for as many bytes, or the end, and gives all in hexadecimal. */
  async receive(count = Number.POSITIVE_INFINITY): Promise<string> {
    await this.until((text) => text.length >= count);
    return Buffer.from(this.text, "latin1").toString("hex");
  }
}

/** Runs a suite over memory (whole and byte by byte) and over sockets on both engines. */
export function onEveryCarrier(suite: (bench: Bench) => void): void {
  const benches: [string, Bench][] = [
    ["memory", new Bench("memory")],
    ["memory, byte by byte", new Bench("memory", { chunk: () => 1 })],
    ["native", new Bench("native")],
    ["node", new Bench("node")],
  ];
  for (const [name, bench] of benches) {
    describe.skipIf(bench.carrier === "native" && !nativeAvailable)(name, () => {
      afterEach(() => bench.tearDown());
      suite(bench);
    });
  }
}

/** Two streams that are each other's peer. */
export function streamPair(loop: IOLoop, options: MemoryPairOptions = {}): [IOStream, IOStream] {
  const [left, right] = memoryPair(loop, options);
  return [new IOStream(left, { loop }), new IOStream(right, { loop })];
}
