// What user code enters with AsyncLocalStorage belongs to its request: from the first storage that a process uses on.

import { AsyncLocalStorage } from "node:async_hooks";
import type { HTTPConnection, HTTPServerConnectionDelegate } from "@tw/httputil";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { answer, onEveryCarrier } from "./harness.js";

const keepsEntered = Number.parseInt(process.versions.node, 10) < 24;
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

onEveryCarrier((bench) => {
  describe.each(["not in use before", "in use before"])("storages %s", (before) => {
    const used: AsyncLocalStorage<string>[] = [];
    let als: AsyncLocalStorage<string>;
    beforeEach(() => {
      if (before === "in use before") {
        const other = new AsyncLocalStorage<string>();
        other.run("old", () => undefined);
        used.push(other);
      }
      als = new AsyncLocalStorage();
      used.push(als);
    });
    afterEach(() => {
      for (const each of used.splice(0)) each.disable();
    });

    it("what one request enters is not seen by those behind it in the same packet, nor by later ones", async () => {
      const seen: unknown[] = [];
      const server = await bench.serve((request) => {
        seen.push(als.getStore());
        als.enterWith(`entered by ${seen.length}`);
        answer(request.connection, "ok");
      });
      const client = await bench.connect(server);
      await client.send(GET + GET + GET);
      await client.until((text) => text.split("ok").length === 4);
      await client.send(GET);
      await client.until((text) => text.split("ok").length === 5);
      const other = await bench.connect(server);
      await other.send(GET);
      await other.until((text) => text.endsWith("ok"));
      expect(seen).toEqual([undefined, undefined, undefined, undefined, undefined]);
    });

    it("what a request enters is there for the rest of it: later pieces, timers, its end", async () => {
      const seen: unknown[] = [];
      const see = (what: string) => void seen.push([what, als.getStore()]);
      let requests = 0;
      const delegate: HTTPServerConnectionDelegate = {
        startRequest(connection: HTTPConnection) {
          see("start");
          als.enterWith(`request ${++requests}`);
          return {
            headersReceived: () => see("head"),
            async dataReceived() {
              see("data");
              await new Promise((resolve) => server.loop.callLater(5, resolve as () => void));
              see("awaited");
            },
            finish() {
              see("finish");
              if (requests === 1) answer(connection, "ok");
            },
            onConnectionClose: () => see("closed"),
          };
        },
      };
      const server = await bench.serve(delegate);
      const client = await bench.connect(server);
      const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
      const until = async (count: number) => {
        while (seen.length < count)
          await new Promise((resolve) => server.loop.callLater(1, resolve as () => void));
      };
      await client.send(`${post}a`);
      await until(4);
      await client.send("b");
      await client.until((text) => text.endsWith("ok"));
      await client.send(`${post}a`);
      await until(11);
      client.stream.abort();
      await until(12);
      const of = (request: string, whats: string[]) => whats.map((what) => [what, request]);
      // From Node 24 on a resource keeps what it was made with, and what is entered in it ends with the call.
      const later = (request: string, whats: string[]) =>
        whats.map((what) => [what, keepsEntered ? request : undefined]);
      expect(seen).toEqual([
        ["start", undefined],
        ...of("request 1", ["head", "data", "awaited"]),
        ...later("request 1", ["data", "awaited", "finish"]),
        ["start", undefined],
        ...of("request 2", ["head", "data", "awaited"]),
        ...later("request 2", ["closed"]),
      ]);
    });

    it("requests begin in the context of whoever made the server", async () => {
      const seen: unknown[] = [];
      const server = await als.run("maker", () =>
        bench.serve((request) => {
          seen.push(als.getStore());
          als.enterWith("request");
          answer(request.connection, "ok");
        }),
      );
      const client = await als.run("client", () => bench.connect(server));
      await client.send(GET + GET);
      await client.until((text) => text.split("ok").length === 3);
      expect(seen).toEqual(["maker", "maker"]);
    });
  });
});
