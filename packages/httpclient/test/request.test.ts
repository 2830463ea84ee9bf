// What is refused before anybody is connected to, and that a request which fails later fails for its caller only.

import { getEventListeners } from "node:events";
import { IOLoop } from "@tw/ioloop";
import { nullLogger } from "@tw/log";
import { TCPServer, useNetwork } from "@tw/tcp";
import { MemoryNetwork } from "@tw/tcp/testing";
import { onEveryEngine } from "@tw/tooling-testing";
import { fromLatin1 } from "@tw/util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AsyncHTTPClient, type FetchOptions, HTTPClientError } from "../src/index.js";
import { buildRequest } from "../src/request.js";
import { ResponseCollector } from "../src/response.js";

let escaped: unknown[] = [];
const onEscape = (error: unknown) => void escaped.push(error);

beforeEach(() => {
  escaped = [];
  process.on("unhandledRejection", onEscape);
});

afterEach(async () => {
  await new Promise(setImmediate);
  process.off("unhandledRejection", onEscape);
  expect(escaped).toEqual([]);
});

const POST = { method: "POST", body: "x" };

describe("a request that cannot be sent is a TypeError", () => {
  // RFC 9110 §7.6.1: what is meant for the next hop is the client's own.
  const refused: [string, FetchOptions][] = [
    ["Transfer-Encoding: chunked", { ...POST, headers: { "Transfer-Encoding": "chunked" } }],
    ["Transfer-Encoding: gzip", { ...POST, headers: { "Transfer-Encoding": "gzip" } }],
    ["Connection", { headers: { Connection: "Upgrade" } }],
    ["connection, in small letters", { headers: { connection: "keep-alive" } }],
    ["Upgrade", { headers: { Upgrade: "x" } }],
    ["Keep-Alive", { headers: { "Keep-Alive": "timeout=5" } }],
    ["Proxy-Connection", { headers: { "Proxy-Connection": "close" } }],
    ["TE", { headers: { TE: "trailers" } }],
    ["Trailer", { ...POST, headers: { Trailer: "X" } }],
    ["Expect", { ...POST, headers: { Expect: "100-continue" } }],
    ["Content-Length without a body", { headers: { "Content-Length": "5" } }],
    ["Content-Length: 0 without a body", { method: "DELETE", headers: { "Content-Length": "0" } }],
    ["a malformed Host", { headers: { Host: "a b" } }],
    ["a body of TRACE", { method: "TRACE", body: "x" }],
  ];
  it.each(refused)("%s", async (_name, options) => {
    const loop = new IOLoop({ logger: nullLogger });
    useNetwork(loop, new MemoryNetwork(loop));
    let connections = 0;
    const server = new TCPServer(() => void connections++, { loop });
    await server.listen(80);
    await expect(new AsyncHTTPClient({ loop }).fetch("http://x/", options)).rejects.toThrow(TypeError);
    expect(connections).toBe(0);
    await server.stop();
  });

  it.each([
    ["userinfo that is none", "http://a:%zz@x/"],
    ["a host with a quote", 'http://a"b/'],
  ])("%s", (_name, url) => {
    expect(() => buildRequest(url, {})).toThrow(TypeError);
  });

  // Of these new URL() would drop CR, LF and TAB, and what is at either end, and ask for something else.
  const controls = [...Array.from({ length: 32 }, (_, code) => code), 127];
  it.each(controls)("S-33: a URL with the control character %i, and no password in the message", (code) => {
    const control = String.fromCharCode(code);
    for (const url of [
      `http://me:secret@x/a${control}b`,
      `http://me:secret@x/?a${control}b`,
      `http://me:secret@x${control}y/`,
      `ht${control}tp://me:secret@x/`,
      `http://me:sec${control}ret@x/`,
      `${control}http://me:secret@x/`,
      `http://me:secret@x/${control}`,
    ]) {
      expect(() => buildRequest(url, {})).toThrow(TypeError);
      expect(() => buildRequest(url, {})).toThrow(/^Control character in the URL at index \d+$/);
    }
  });

  it("S-33: nothing else: what is escaped, and a URL that was made before, may stand for a control character", () => {
    expect(buildRequest("http://x/a%0D%0Ab", {}).url.pathname).toBe("/a%0D%0Ab");
    expect(buildRequest(new URL("http://x/a\r\nb"), {}).url.pathname).toBe("/ab");
    expect(buildRequest("http://x/ ~é", {}).url.pathname).toBe("/%20~%C3%A9");
  });

  it("a timeout that is none, which leaves no listener on the signal", async () => {
    const { signal } = new AbortController();
    for (const timeoutMs of [Number.NaN, 1e12 + 1]) {
      const fetching = new AsyncHTTPClient().fetch("http://x/", { signal, timeoutMs });
      await expect(fetching).rejects.toThrow(RangeError);
      expect(getEventListeners(signal, "abort")).toEqual([]);
    }
  });
});

describe("a request", () => {
  it("names the Host that it is told to, and the length that the body has", () => {
    const { headers } = buildRequest("http://x/", {
      ...POST,
      headers: { Host: "a.example:81", "Content-Length": "9" },
    });
    expect([headers.get("Host"), headers.get("Content-Length")]).toEqual(["a.example:81", "1"]);
  });

  it("takes user and password from the URL", () => {
    const { headers, url } = buildRequest("http://u:p%3Aw@x/", {});
    expect(headers.get("Authorization")).toBe(`Basic ${Buffer.from("u:p:w").toString("base64")}`);
    expect(url.host).toBe("x");
  });
});

describe("a fetch that fails while its request is written", () => {
  it("rejects for its caller, and nobody else has to look at the response that will not come", async () => {
    new ResponseCollector(buildRequest("http://x/", {})).onConnectionClose(new Error("gone"));
    await new Promise(setImmediate);
  });

  onEveryEngine((engine) => {
    it("as one with a body beyond the stream's buffer", async () => {
      const loop = new IOLoop({ logger: nullLogger });
      const server = new TCPServer((stream) => stream.pause(), { engine, loop });
      await server.listen(0, "127.0.0.1");
      const body = new Uint8Array(101 * 1024 * 1024);
      const fetching = new AsyncHTTPClient({ engine, loop }).fetch(`http://127.0.0.1:${server.port}/`, {
        method: "POST",
        body,
      });
      const error = await fetching.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect(error).not.toBeInstanceOf(HTTPClientError);
      await server.stop();
    });
  });
});

it("the fields of a request are one line each", async () => {
  const loop = new IOLoop({ logger: nullLogger });
  useNetwork(loop, new MemoryNetwork(loop));
  let head = "";
  const server = new TCPServer(
    async (stream) => {
      head = fromLatin1(await stream.readUntil("\r\n\r\n", { maxBytes: 10_000 }));
      await stream.write("HTTP/1.1 204 No Content\r\n\r\n");
      await stream.close();
    },
    { loop },
  );
  await server.listen(80);
  await new AsyncHTTPClient({ loop }).fetch("http://x/", { headers: { "X-One": "1" } });
  expect(head.match(/^Connection:.*$/gm)).toEqual(["Connection: close"]);
  await server.stop();
});
