// Delegates that write what they are given as it is, while its memory is read into again.
import { randomFillSync } from "node:crypto";
import { type HTTPConnection, HTTPHeaders, type MaybePromise } from "@tw/httputil";
import { nativeEngine } from "@tw/iostream/transports";
import { concatBytes } from "@tw/util";
import { expect, it } from "vitest";
import { type Bench, OK, onEveryCarrier } from "./harness.js";

type Echo = (connection: HTTPConnection, chunk: Uint8Array) => MaybePromise;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const ECHOES: Record<string, Echo> = {
  "does not wait": (connection, chunk) => void connection.write(chunk),
  "waits for what it writes": (connection, chunk) => connection.write(chunk),
  "is an async function": async (connection, chunk) => {
    await connection.write(chunk);
  },
  "waits before it writes": async (connection, chunk) => {
    await undefined;
    await connection.write(chunk);
  },
  "waits behind what it writes": async (connection, chunk) => {
    await connection.write(chunk);
    await nextTurn();
  },
};

const body = randomFillSync(new Uint8Array(400_000));

/** Several chunks in a read, and one of several reads. */
function* chunked(): Generator<Uint8Array> {
  for (let at = 0, size = 100; at < body.length; at += size, size = size > 90_000 ? 100 : size * 3) {
    const piece = body.subarray(at, at + size);
    yield concatBytes([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]);
  }
  yield Buffer.from("0\r\n\r\n");
}

onEveryCarrier((bench: Bench) => {
  for (const [how, echo] of Object.entries(ECHOES)) {
    it(`an echo of chunks changes nothing where dataReceived ${how}`, async () => {
      const server = await bench.serve({
        startRequest: (connection) => ({
          headersReceived() {
            connection.setMaxBodySize?.(body.length);
            const length = new HTTPHeaders({ "Content-Length": String(body.length), Connection: "close" });
            connection.writeHeaders(OK, length);
          },
          dataReceived: (chunk) => echo(connection, chunk),
          finish: () => connection.finish(),
          onConnectionClose() {},
        }),
      });
      const engine = bench.carrier === "native" ? nativeEngine(server.loop) : undefined;
      for (const slabs of engine?.slabs ?? []) slabs.poison = true;
      const { stream } = await bench.connect(server);
      stream.detach();
      void stream.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
      void stream.write(concatBytes([...chunked()]));
      await stream.readUntil("\r\n\r\n");
      // Until the answer has filled the buffers between, and waits.
      for (let i = 0; i < 50; i++) await nextTurn();
      const answer = await stream.readBytes(body.length);
      expect(Buffer.compare(answer, body)).toBe(0);
    });
  }
});
