// A peer that does not speak HTTP and keeps the connection open.

import { IOLoop } from "@tw/ioloop";
import type { IOStream } from "@tw/iostream";
import { nullLogger } from "@tw/log";
import { TCPServer } from "@tw/tcp";
import { onEveryEngine } from "@tw/tooling-testing";
import { latin1 } from "@tw/util";
import { describe, expect, it } from "vitest";
import { AsyncHTTPClient } from "../src/index.js";

onEveryEngine((engine) => {
  // RFC 9112 §2.3
  describe("fetch() rejects at once, although the connection stays open, where the answer begins as", () => {
    it.each(["garbage\r\n", "HTTX", "HTTP/2 200\r\n", "SSH-2.0-OpenSSH_9.9\r\n"])("%j", async (wire) => {
      const loop = new IOLoop({ logger: nullLogger });
      const streams: IOStream[] = [];
      const server = new TCPServer(
        async (stream) => {
          streams.push(stream);
          await stream.readUntil("\r\n\r\n", { maxBytes: 10_000 });
          await stream.write(latin1(wire));
        },
        { engine, loop },
      );
      await server.listen(0, "127.0.0.1");
      const client = new AsyncHTTPClient({ engine, loop });
      try {
        // Nothing else could end it: there is no limit of time.
        const fetched = client.fetch(`http://127.0.0.1:${server.port}/`, { timeoutMs: 0 });
        await expect(fetched).rejects.toMatchObject({
          code: "ERR_TW_HTTP_STREAM_CLOSED",
          cause: {
            code: "ERR_TW_HTTP_INPUT",
            message: expect.stringMatching(/^Malformed status line: it begins with/),
          },
        });
        expect(streams).toHaveLength(1);
      } finally {
        for (const stream of streams) stream.abort();
        await client.close();
        await server.stop();
      }
    });
  });
});
