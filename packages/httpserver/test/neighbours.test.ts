// Requests of several clients come in one turn, and what the handler of one does lets that of another go on: each is given
// what its own client sent.

import type { HTTPServerRequest } from "@tw/httputil";
import { Deferred } from "@tw/util";
import { describe, expect, it } from "vitest";
import { answer, onEveryCarrier, type RawClient } from "./harness.js";

const get = (uri: string): string => `GET ${uri} HTTP/1.1\r\nHost: a\r\n\r\n`;

onEveryCarrier((bench) => {
  describe("an upload that goes on when a neighbour asks for something", () => {
    it("is nobody else's request, though that comes in the same turn", async () => {
      let gate = new Deferred<void>();
      const seen: string[] = [];
      const uploads: string[] = [];
      const server = await bench.serve(
        async (request: HTTPServerRequest) => {
          seen.push(request.uri);
          if (request.uri === "/upload") {
            let text = "";
            for await (const chunk of request.chunks()) {
              await gate.promise;
              text += Buffer.from(chunk).toString("latin1");
            }
            uploads.push(text);
          }
          if (request.uri === "/open") gate.resolve();
          answer(request.connection, `asked for ${request.uri}`);
        },
        { streamRequestBody: true },
      );
      const [asker, uploader, other] = (await Promise.all(
        Array.from({ length: 3 }, () => bench.connect(server)),
      )) as [RawClient, RawClient, RawClient];
      const answers = { asker: 0, uploader: 0, other: 0 };
      const clients = { asker, uploader, other };
      const answered = async (name: keyof typeof clients, uri: string): Promise<void> => {
        answers[name]++;
        const text = await clients[name].until((text) => text.split("asked for").length > answers[name]);
        expect(text.slice(text.lastIndexOf("asked for"))).toBe(`asked for ${uri}`);
      };
      for (let round = 0; round < 3; round++) {
        gate = new Deferred();
        // As long as the request of the other one, and one itself.
        const body = get("/evil!");
        await uploader.send(`POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
        await expect.poll(() => seen.at(-1)).toBe("/upload");
        void asker.send(get("/"));
        void uploader.send(body);
        await answered("asker", "/");
        void asker.send(get("/open"));
        void other.send(get("/mine!"));
        await Promise.all([
          answered("asker", "/open"),
          answered("other", "/mine!"),
          answered("uploader", "/upload"),
        ]);
        expect(uploads[round]).toBe(body);
      }
      expect(seen).not.toContain("/evil!");
    });
  });
});
