// What one role writes the other reads: a client machine and a server machine, joined by their bytes alone.

import { HTTPHeaders } from "@tw/httputil";
import { describe, expect, it } from "vitest";
import { HTTP1Machine, resolveHTTP1Options, type WriteHeadOptions } from "../src/index.js";
import { pick, randomFrom as prng } from "../src/testing/random.js";
import { bytes, OK, text } from "./helpers.js";

interface Message {
  readonly pieces: readonly string[];
  readonly options: WriteHeadOptions;
  readonly headers: HTTPHeaders;
  readonly trailers?: HTTPHeaders;
}

/** Writes what a driver would write. */
function wireOf(
  machine: HTTP1Machine,
  start: Parameters<HTTP1Machine["writeHead"]>[0],
  message: Message,
): string {
  let wire = machine.writeHead(start, message.headers, message.options);
  for (const piece of message.pieces) {
    if (!machine.bodyAllowed || piece === "") continue;
    wire += machine.frameData(piece.length) + piece + machine.dataSuffix;
  }
  return wire + machine.writeEnd(message.trailers);
}

/** Gives the wire to the machine in pieces of random sizes, and collects what it says. */
function read(machine: HTTP1Machine, wire: string, random: () => number) {
  let body = "";
  let head: unknown;
  let trailers: HTTPHeaders | undefined;
  for (let at = 0; at < wire.length; ) {
    const to = at + 1 + Math.floor(random() * 50);
    machine.receive(bytes(wire.slice(at, to)));
    at = to;
    for (let event = machine.next(); event !== undefined; event = machine.next()) {
      if (event.type === "data") body += text(event.bytes);
      else if (event.type === "end") trailers = event.trailers;
      else head = event;
    }
    machine.retain();
  }
  return { head, body, trailers };
}

function randomMessage(random: () => number): Message {
  const pieces = Array.from({ length: Math.floor(random() * 4) }, () =>
    "\xe9x\r\n".repeat(Math.floor(random() * 20)),
  );
  const headers = new HTTPHeaders();
  for (let i = Math.floor(random() * 4); i > 0; i--)
    headers.add(`X-${i}`, pick(random, ["", "a", "a  b\tc", "\xff"]));
  const trailers = random() < 0.3 ? { trailers: new HTTPHeaders({ "X-Sum": "1" }) } : {};
  if (random() < 0.5) return { pieces, headers, options: {}, ...trailers };
  return { pieces, headers, options: { contentLength: pieces.join("").length } };
}

describe("both ends", () => {
  it("agree on a thousand random exchanges over kept connections", () => {
    const random = prng(7);
    const options = resolveHTTP1Options();
    const client = new HTTP1Machine("client", options);
    const server = new HTTP1Machine("server", options);
    for (let round = 0; round < 1000; round++) {
      const method = pick(random, ["GET", "POST", "PUT", "HEAD", "DELETE"]);
      const request = randomMessage(random);
      const hasBody = request.options.contentLength !== undefined || method === "POST" || method === "PUT";
      request.headers.set("Host", "a.example");
      const asked = read(
        server,
        wireOf(client, { method, path: `/${round}`, version: "HTTP/1.1" }, request),
        random,
      );
      expect(asked.head).toMatchObject({ type: "request", method, target: `/${round}` });
      expect(asked.body).toBe(hasBody ? request.pieces.join("") : "");

      const code = pick(random, [200, 200, 404, 204, 304]);
      const response = randomMessage(random);
      const answered = read(client, wireOf(server, { ...OK, code, reason: "" }, response), random);
      expect(answered.head).toMatchObject({ type: "response", code });
      expect(answered.body).toBe(
        method === "HEAD" || code === 204 || code === 304 ? "" : response.pieces.join(""),
      );
      for (const [name, value] of response.headers.getAll()) {
        expect((answered.head as { headers: HTTPHeaders }).headers.get(name)).toBe(value);
      }
      if (response.trailers && answered.body !== "") expect(answered.trailers?.get("X-Sum")).toBe("1");
      expect([client.keepAlive, server.keepAlive]).toEqual([true, true]);
      client.startNextCycle();
      server.startNextCycle();
      expect([client.idle, server.idle]).toEqual([true, true]);
    }
  });

  it.each(["client", "server"] as const)("agree that the connection ends when the %s says so", (who) => {
    const client = new HTTP1Machine("client", resolveHTTP1Options());
    const server = new HTTP1Machine("server", resolveHTTP1Options());
    const message = (close: boolean): Message => ({
      pieces: [],
      headers: new HTTPHeaders({ Host: "a" }),
      options: { close, contentLength: 0 },
    });
    const start = { method: "GET", path: "/", version: "HTTP/1.1" };
    read(server, wireOf(client, start, message(who === "client")), Math.random);
    read(client, wireOf(server, OK, message(who === "server")), Math.random);
    expect([client.keepAlive, server.keepAlive]).toEqual([false, false]);
  });

  it("agree on 100 (Continue): expected, sent, seen before the response", () => {
    const client = new HTTP1Machine("client", resolveHTTP1Options());
    const server = new HTTP1Machine("server", resolveHTTP1Options());
    const headers = new HTTPHeaders({ Host: "a", Expect: "100-continue" });
    server.receive(
      bytes(
        client.writeHead({ method: "PUT", path: "/", version: "HTTP/1.1" }, headers, { contentLength: 2 }),
      ),
    );
    expect(server.next()).toMatchObject({ type: "request", expectContinue: true });
    expect(server.next()).toBeUndefined();
    client.receive(bytes(server.writeInformation(100)));
    expect(client.next()).toMatchObject({ type: "information", code: 100 });
    client.frameData(2);
    server.receive(bytes("ok"));
    expect(server.next()).toMatchObject({ type: "data" });
    expect(server.next()).toMatchObject({ type: "end" });
    client.writeEnd();
    client.receive(
      bytes(wireOf(server, OK, { pieces: [], headers: new HTTPHeaders(), options: { contentLength: 0 } })),
    );
    expect(client.next()).toMatchObject({ type: "response", code: 200 });
  });
});
