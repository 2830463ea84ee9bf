// Servers and raw clients for the tests: over memory in virtual time, and over TCP on both engines.

import type { HTTPConnection, HTTPHeaders, HTTPServerConnectionDelegate } from "@tw/httputil";
import { HTTPHeaders as Headers } from "@tw/httputil";
import { IOLoop } from "@tw/ioloop";
import type { IOStream } from "@tw/iostream";
import { nullLogger } from "@tw/log";
import { TCPClient, useNetwork } from "@tw/tcp";
import { MemoryNetwork } from "@tw/tcp/testing";
import { nativeAvailable } from "@tw/tooling-testing";
import { concatBytes, Deferred, fromLatin1, latin1 } from "@tw/util";
import { afterEach, describe } from "vitest";
import { HTTPServer, type HTTPServerOptions, type RequestCallback } from "../src/index.js";

export type Carrier = "memory" | "native" | "node";

/** Runs a suite once per way of carrying bytes. */
export function onEveryCarrier(suite: (bench: Bench) => void): void {
  for (const carrier of ["memory", "native", "node"] as const) {
    describe.skipIf(carrier === "native" && !nativeAvailable)(carrier, () => {
      const bench = new Bench(carrier);
      afterEach(() => bench.tearDown());
      suite(bench);
    });
  }
}

/** One server at a time and any number of raw clients. */
export class Bench {
  readonly carrier: Carrier;
  #servers: HTTPServer[] = [];
  #clients: RawClient[] = [];

  constructor(carrier: Carrier) {
    this.carrier = carrier;
  }

  /** What servers and clients are made with. */
  get engine(): { readonly engine?: "native" | "node" } {
    return this.carrier === "memory" ? {} : { engine: this.carrier };
  }

  async serve(
    target: RequestCallback | HTTPServerConnectionDelegate,
    options: HTTPServerOptions = {},
  ): Promise<HTTPServer> {
    const loop = new IOLoop({ logger: nullLogger });
    if (this.carrier === "memory") useNetwork(loop, new MemoryNetwork(loop));
    const server = new HTTPServer(target, { logger: nullLogger, ...this.engine, ...options, loop });
    this.#servers.push(server);
    await server.listen(0, "127.0.0.1");
    return server;
  }

  async connect(server: HTTPServer): Promise<RawClient> {
    const stream = await new TCPClient({ ...this.engine, loop: server.loop }).connect(
      "127.0.0.1",
      server.port,
    );
    const client = new RawClient(stream);
    this.#clients.push(client);
    return client;
  }

  /** Sends the pieces, each in a write of its own, ends the sending side when asked to, and returns all that comes. */
  async transcript(
    server: HTTPServer,
    pieces: readonly (string | Uint8Array)[],
    end = false,
  ): Promise<string> {
    const client = await this.connect(server);
    for (const piece of pieces) await client.send(piece);
    if (end) client.stream.end();
    return await client.untilClosed();
  }

  async tearDown(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.stream.abort();
    await Promise.all(this.#servers.splice(0).map((server) => server.close()));
  }
}

/** A client that knows nothing of HTTP. */
export class RawClient {
  readonly stream: IOStream;
  readonly #chunks: Uint8Array[] = [];
  readonly #closed = new Deferred<void>();
  #arrived = new Deferred<void>();
  isClosed = false;
  /** Whether it goes on sending when the server has finished. */
  isHalfOpen = false;
  closeError: unknown;

  constructor(stream: IOStream) {
    this.stream = stream;
    stream.attach({
      onBytes: (view) => {
        this.#chunks.push(view.slice());
        this.#wake();
      },
      onEnd: () => {
        if (!this.isHalfOpen) this.stream.end();
      },
      onDrain() {},
      onClose: (error) => {
        this.isClosed = true;
        this.closeError = error;
        this.#closed.resolve();
        this.#wake();
      },
    });
  }

  #wake(): void {
    const arrived = this.#arrived;
    this.#arrived = new Deferred<void>();
    arrived.resolve();
  }

  async send(piece: string | Uint8Array): Promise<void> {
    if (this.isClosed) return;
    await this.stream.write(typeof piece === "string" ? latin1(piece) : piece).catch(() => {});
  }

  get text(): string {
    return fromLatin1(concatBytes(this.#chunks));
  }

  /** Waits until what has arrived satisfies `done`, or the connection is closed. */
  async until(done: (text: string) => boolean): Promise<string> {
    while (!done(this.text) && !this.isClosed) await this.#arrived.promise;
    return this.text;
  }

  async untilClosed(): Promise<string> {
    await this.#closed.promise;
    return this.text;
  }
}

export const OK = { version: "HTTP/1.1", code: 200, reason: "OK" };

/** Answers with a text and its length. */
export function answer(connection: HTTPConnection, text: string, headers: HTTPHeaders = new Headers()): void {
  headers.set("Content-Length", String(latin1(text).length));
  connection.writeHeaders(OK, headers, text);
  connection.finish();
}

/** What differs between two runs of the same exchange. */
export function withoutDates(text: string): string {
  return text.replace(/Date: [^\r]*\r\n/g, "");
}

/** Status codes of a transcript, in order. */
export function codes(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));
}
