// Writing without end: to a peer that is gone, which is told, and to one that wants a head only. A writer that awaits what
// settles at once would keep the loop for ever, so those here give up by themselves and say so.

import { closeSync, openSync } from "node:fs";
import { type HTTPConnection, HTTPHeaders } from "@tw/httputil";
import type { LogFields, Logger } from "@tw/util";
import { afterAll, expect, it } from "vitest";
import { answer, codes, OK, onEveryCarrier } from "./harness.js";

const get = (uri: string, method = "GET"): string => `${method} ${uri} HTTP/1.1\r\nHost: a\r\n\r\n`;

/** More pieces than a peer that reads nothing takes. */
const MANY = 20_000;

class Lines implements Logger {
  readonly lines: string[] = [];
  readonly debug = (): void => {};
  readonly info = (): void => {};
  readonly warn = (first: string | LogFields, message?: string): void =>
    void this.lines.push(`${message ?? first}`);
  readonly error = this.warn;
}

/** Resolves with what ended the loop. */
async function writeOn(write: () => unknown, until: () => boolean = () => false): Promise<unknown> {
  try {
    for (let i = 0; i < MANY; i++) {
      if (until()) return "until";
      await write();
    }
  } catch (error) {
    return error;
  }
  return "nothing";
}

onEveryCarrier((bench) => {
  const piece = Buffer.alloc(65_536);
  const file = openSync(process.execPath, "r");
  afterAll(() => closeSync(file));
  const writers: [string, (connection: HTTPConnection) => unknown][] = [
    ["write()", (connection) => connection.write(piece)],
    ["writeFile()", (connection) => connection.writeFile?.({ fd: file, offset: 0, length: piece.length })],
  ];
  for (const [name, write] of writers)
    it(`${name} rejects with StreamClosedError once the client is gone, and a callback that ends by it is no failure`, async () => {
      const ends: unknown[] = [];
      const logger = new Lines();
      const server = await bench.serve(
        async ({ uri, connection }) => {
          if (uri !== "/endless") return answer(connection, "served");
          connection.writeHeaders(OK, new HTTPHeaders(), "begun");
          const end = await writeOn(() => write(connection));
          ends.push(end);
          throw end;
        },
        { logger },
      );
      const client = await bench.connect(server);
      await client.send(get("/endless"));
      await client.until((text) => text.includes("begun"));
      client.stream.abort();
      while (ends.length === 0) await new Promise(setImmediate);
      expect(ends).toMatchObject([{ code: "ERR_TW_STREAM_CLOSED" }]);
      const other = await bench.connect(server);
      await other.send(get("/"));
      expect(await other.until((text) => text.endsWith("served"))).toMatch(/served$/);
      expect([server.inFlight, logger.lines]).toEqual([0, []]);
    });

  it("writes to a client that is gone may be ignored, the head among them", async () => {
    const escaped: unknown[] = [];
    const onEscape = (error: unknown): void => void escaped.push(error);
    process.on("unhandledRejection", onEscape);
    let over = false;
    const logger = new Lines();
    const server = await bench.serve(
      async ({ connection }) => {
        client.stream.abort();
        while (server.inFlight > 0) await new Promise(setImmediate);
        connection.writeHeaders(OK, new HTTPHeaders(), "late");
        connection.write("later");
        connection.finish();
        over = true;
      },
      { logger },
    );
    const client = await bench.connect(server);
    await client.send(get("/"));
    while (!over) await new Promise(setImmediate);
    await new Promise(setImmediate);
    process.off("unhandledRejection", onEscape);
    expect([escaped, logger.lines]).toEqual([[], []]);
  });

  it("the same error is a failure where another's peer is gone", async () => {
    let first: HTTPConnection | undefined;
    const logger = new Lines();
    const server = await bench.serve(
      async ({ uri, connection }) => {
        if (uri === "/gone") {
          first = connection;
          return;
        }
        while (server.inFlight > 1) await new Promise(setImmediate);
        await first?.write("for nobody");
      },
      { logger },
    );
    const gone = await bench.connect(server);
    await gone.send(get("/gone"));
    while (first === undefined) await new Promise(setImmediate);
    const client = await bench.connect(server);
    await client.send(get("/"));
    while (server.inFlight < 2) await new Promise(setImmediate);
    gone.stream.abort();
    expect(codes(await client.until((text) => text !== ""))).toEqual([500]);
    expect(logger.lines).toHaveLength(1);
  });

  it("whoever writes without end what HEAD, 204 or 304 drop leaves the loop to others", async () => {
    for (const [method, code] of [
      ["HEAD", 200],
      ["GET", 204],
      ["GET", 304],
    ] as const)
      for (const write of [
        (connection: HTTPConnection) => connection.write("dropped"),
        (connection: HTTPConnection) => connection.writeFile?.({ fd: file, offset: 0, length: 9 }),
      ]) {
        let others = 0;
        let end: unknown;
        const server = await bench.serve(async ({ uri, connection }) => {
          if (uri !== "/endless") {
            others++;
            return answer(connection, "served");
          }
          connection.writeHeaders({ ...OK, code }, new HTTPHeaders());
          end = await writeOn(
            () => write(connection),
            () => others > 0,
          );
          connection.finish();
        });
        const client = await bench.connect(server);
        const other = await bench.connect(server);
        await client.send(get("/endless", method));
        await client.until((text) => text.includes("\r\n\r\n"));
        await other.send(get("/"));
        await other.until((text) => text.endsWith("served"));
        while (end === undefined) await new Promise(setImmediate);
        expect(end).toBe("until");
      }
  });
});
