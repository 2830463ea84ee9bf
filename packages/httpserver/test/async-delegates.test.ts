// Methods of a delegate for which nobody waits may be async all the same, whatever a server puts around it.

import { gzipSync } from "node:zlib";
import type { HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate } from "@tw/httputil";
import { concatBytes, Deferred, type LogFields, latin1 } from "@tw/util";
import { describe, expect, it } from "vitest";
import type { HTTPServerOptions } from "../src/index.js";
import { answer, codes, onEveryCarrier } from "./harness.js";

const METHODS = ["trailersReceived", "onAnswerEnd", "onConnectionClose", "onRefused", "onClose"] as const;
type Method = (typeof METHODS)[number];

const AROUND: Record<string, HTTPServerOptions> = {
  nothing: {},
  trustedProxies: { trustedProxies: ["loopback"] },
  requestContext: { requestContext: true },
  accessLog: { accessLog: () => {} },
  decompressRequest: { decompressRequest: true },
  "all of them": {
    trustedProxies: ["loopback"],
    requestContext: true,
    accessLog: () => {},
    decompressRequest: true,
  },
};

const CODINGS = { "that is not coded": "", "that is coded": "Content-Encoding: gzip\r\n" };

/** A request in one chunk, with trailers. */
function request(coding: string): Uint8Array {
  const body = coding === "" ? latin1("x") : gzipSync("x");
  return concatBytes([
    latin1(`POST / HTTP/1.1\r\nHost: a\r\n${coding}Transfer-Encoding: chunked\r\n\r\n`),
    latin1(`${body.length.toString(16)}\r\n`),
    body,
    latin1("\r\n0\r\nT: v\r\n\r\n"),
  ]);
}

/** Rejects in one method; answers with the head, at the end, or never, as that method needs it. */
class Rejecting implements HTTPServerConnectionDelegate, HTTPMessageDelegate {
  readonly #method: Method;
  readonly asked: Deferred<HTTPConnection> = new Deferred();
  readonly called: Deferred = new Deferred();
  #connection: HTTPConnection | undefined;

  constructor(method: Method) {
    this.#method = method;
  }
  startRequest(connection: HTTPConnection): HTTPMessageDelegate {
    this.#connection = connection;
    return this;
  }
  headersReceived(): void {
    if (this.#method === "onAnswerEnd") this.#answer();
  }
  dataReceived(): void {}
  finish(): void {
    this.asked.resolve(this.#connection as HTTPConnection);
    if (this.#method === "onClose" || this.#method === "trailersReceived") this.#answer();
  }
  #answer(): void {
    answer(this.#connection as HTTPConnection, "ok");
  }
  readonly trailersReceived = (): Promise<void> => this.#rejectIn("trailersReceived");
  readonly onAnswerEnd = (): Promise<void> => this.#rejectIn("onAnswerEnd");
  readonly onConnectionClose = (): Promise<void> => this.#rejectIn("onConnectionClose");
  readonly onRefused = (): Promise<void> => this.#rejectIn("onRefused");
  readonly onClose = (): Promise<void> => this.#rejectIn("onClose");

  async #rejectIn(method: Method): Promise<void> {
    if (method !== this.#method) return;
    this.called.resolve();
    throw new Error(method);
  }
}

onEveryCarrier((bench) => {
  /** What is logged when `method` rejects, by the time that everything is over. */
  async function logged(method: Method, wire: Uint8Array, options: HTTPServerOptions): Promise<string[]> {
    const errors: string[] = [];
    const error = (fields: LogFields | string): void =>
      void errors.push(((fields as LogFields).err as Error).message);
    const logger = { debug() {}, info() {}, warn() {}, error };
    const delegate = new Rejecting(method);
    const server = await bench.serve(delegate, { ...options, logger });
    const client = await bench.connect(server);
    await client.send(method === "onRefused" ? "garbage\r\n\r\n" : wire);
    if (method === "onConnectionClose") {
      await delegate.asked.promise;
      client.stream.abort();
    } else client.stream.end();
    await delegate.called.promise;
    await client.untilClosed();
    await server.close();
    return errors;
  }

  describe.each(Object.entries(AROUND))("with %s around it", (_, options) => {
    it.each(METHODS)("%s() that rejects is logged, once", async (method) => {
      for (const [what, coding] of Object.entries(CODINGS))
        expect(await logged(method, request(coding), options), what).toEqual([method]);
    });
  });

  it("onConnectionClose() behind a body that decodes to nothing is logged too", async () => {
    const [delegate, errors] = [new Rejecting("onConnectionClose"), [] as unknown[]];
    const error = (fields: LogFields | string): void => void errors.push((fields as LogFields).err);
    const logger = { debug() {}, info() {}, warn() {}, error };
    const server = await bench.serve(delegate, { decompressRequest: true, logger });
    const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n";
    expect(codes(await bench.transcript(server, [`${head}abc`], true))).toEqual([400]);
    await server.close();
    expect(errors).toEqual([expect.objectContaining({ message: "onConnectionClose" })]);
  });
});
