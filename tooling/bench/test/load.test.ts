// The load generator must notice a server that cheats: each of these answers is fast and wrong.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { IdleConnections } from "../src/load.mjs";
import { buildNative } from "../src/native.mjs";

const { load, server: limit } = buildNative();
const HELLO = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nHello, world";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const each of cleanups.splice(0)) await each();
});

/** A server that gives `answer` for every request head; with undefined it closes the connection. */
async function serve(
  answer: string | undefined,
  write: (socket: Socket, text: string) => unknown = (socket, text) => socket.write(text),
) {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      const heads = data.toString("latin1").split("\r\n\r\n").length - 1;
      if (answer === undefined) socket.destroy();
      else write(socket, answer.repeat(heads));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function generate(...args: (string | number)[]) {
  const child = spawn(load as string, args.map(String), { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, "close");
  return { code, ...JSON.parse(output) };
}

describe.skipIf(load === undefined)("load http", () => {
  it("counts the answers of a server that gives the right ones", async () => {
    const tally = await generate("http", await serve(HELLO), 4, 0.1);
    expect(tally).toMatchObject({ code: 0, errors: 0 });
    expect(tally.requests).toBeGreaterThan(4);
  });

  it("puts an answer together that comes byte by byte", async () => {
    const port = await serve(HELLO, async (socket, text) => {
      for (const byte of text) {
        socket.write(byte);
        await new Promise(setImmediate);
      }
    });
    expect(await generate("http", port, 1, 0.05)).toMatchObject({ code: 0, errors: 0 });
  });

  it.each([
    ["another status", HELLO.replace("200", "404")],
    ["another body of the same length", HELLO.replace("world", "w0rld")],
    ["another length", HELLO.replace("12", "11")],
    ["no length", HELLO.replace("Content-Length: 12\r\n", "")],
    ["more than was asked for", HELLO + HELLO],
    ["a closed connection", undefined],
  ])("takes %s for an error", async (_, answer) => {
    const tally = await generate("http", await serve(answer), 1, 0.1);
    expect(tally.code).toBe(1);
    expect(tally.errors).toBeGreaterThan(0);
    expect(tally.firstError).not.toBe("");
  });
});

describe.skipIf(load === undefined)("load ws", () => {
  /** A handshake, then `frame` for whatever comes. */
  async function serveFrames(frame: Buffer) {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", (data) => {
        const key = /Sec-WebSocket-Key: (\S+)/.exec(String(data))?.[1] ?? "";
        const accept = createHash("sha1")
          .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
          .digest("base64");
        socket.write(`HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
        socket.on("data", () => socket.write(frame));
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanups.push(() => server.close());
    return (server.address() as AddressInfo).port;
  }

  it.each([
    ["an echo of other bytes", Buffer.concat([Buffer.from([0x81, 64]), Buffer.alloc(64, 0)])],
    ["an echo that is too short", Buffer.from([0x81, 0])],
    ["an echo that is too long", Buffer.from([0x81, 65])],
    ["a binary echo of a text", Buffer.from([0x82, 64])],
    ["a masked frame", Buffer.from([0x81, 0xc0])],
  ])("takes %s for an error", async (_, frame) => {
    const tally = await generate("ws", await serveFrames(frame), 1, 0.1, 64);
    expect(tally).toMatchObject({ code: 1, requests: 0 });
    expect(tally.errors).toBeGreaterThan(0);
  });
});

describe.skipIf(load === undefined || limit === undefined)("the C server", () => {
  async function startLimit() {
    const port = await serve(HELLO);
    await cleanups.pop()?.();
    const child = spawn(limit as string, [String(port)], { stdio: ["ignore", "pipe", "inherit"] });
    cleanups.push(() => child.kill());
    await once(child.stdout, "data");
    return port;
  }

  it("answers each of many requests that come at once", async () => {
    expect(await generate("http", await startLimit(), 4, 0.1, 32)).toMatchObject({ code: 0, errors: 0 });
  });

  it("keeps connections that were served once, and the holder counts those that are gone", async () => {
    const port = await startLimit();
    const connections = new IdleConnections(load as string, port);
    expect(await connections.hold(50)).toEqual({ held: 50, closed: 0 });
    await cleanups.pop()?.();
    let closed = 0;
    while (closed < 50) closed = (await connections.hold(0)).closed;
    await connections.close();
  });
});
