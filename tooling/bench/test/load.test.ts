// The load generator must notice a server that cheats: each of these answers is fast and wrong.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { IdleConnections, loadOf, openedLoadOf } from "../src/load.mjs";
import { CpuMeter } from "../src/measure.mjs";
import { buildNative } from "../src/native.mjs";
import { pattern } from "../src/servers/pattern.mjs";

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
    const tally = await generate("http", await serve(HELLO), 4, 0.5);
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

describe.skipIf(load === undefined)("load connect", () => {
  const connect = async (answer: string | undefined, write?: (socket: Socket, text: string) => unknown) =>
    await generate("connect", await serve(answer, write), 2, 0.1);
  const andEnd = (socket: Socket, text: string) => socket.end(text);

  it("counts connections that are answered and closed", async () => {
    const tally = await connect(HELLO, andEnd);
    expect(tally).toMatchObject({ code: 0, errors: 0 });
    expect(tally.requests).toBeGreaterThanOrEqual(2);
  });

  it.each([
    ["another body", HELLO.replace("world", "w0rld"), andEnd],
    ["an answer that is cut short", HELLO.slice(0, -1), andEnd],
    ["a second answer", HELLO + HELLO, andEnd],
    ["a connection that is closed at once", undefined, undefined],
  ])("takes %s for an error", async (_, answer, write) => {
    const tally = await connect(answer, write);
    expect(tally.code).toBe(1);
    expect(tally.errors).toBeGreaterThan(0);
  });
});

describe.skipIf(load === undefined)("load get and put", () => {
  const MIB = 2 ** 20;
  const head = (length: number) => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
  const bytes = pattern();
  const changed = bytes.slice();
  changed[MIB - 1] = (changed[MIB - 1] as number) ^ 1;

  const get = async (length: number, ...pieces: Uint8Array[]) => {
    const port = await serve(head(length), (socket, text) => {
      socket.write(text);
      for (const piece of pieces) socket.write(piece);
    });
    return await generate("get", port, 1, 0, length);
  };

  it("compares a body that is longer than the pattern", async () => {
    expect(await get(2 * MIB, bytes, bytes)).toMatchObject({ code: 0, errors: 0, requests: 2 });
  });

  it.each([
    ["one changed byte at the end", MIB, changed],
    ["one byte too many", MIB, new Uint8Array([...bytes, bytes[0] as number])],
    ["another length", MIB - 1, bytes],
  ])("takes %s for an error", async (_, length, body) => {
    const port = await serve(head(length), (socket, text) => {
      socket.write(text);
      socket.write(body);
    });
    const tally = await generate("get", port, 1, 0, MIB);
    expect(tally.code).toBe(1);
    expect(tally.requests).toBe(0);
  });

  it.each([
    ["counts an upload that arrived whole", 0, 0],
    ["takes an answer that counts one byte less for an error", 1, 1],
  ])("%s", async (_, missing, code) => {
    const server = createServer((socket) => {
      let received = -1;
      socket.on("data", (data) => {
        received += data.length - (received < 0 ? data.indexOf("\r\n\r\n") + 3 : 0);
        const text = String(received - missing);
        if (received === 3 * MIB) socket.write(head(text.length) + text);
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanups.push(() => server.close());
    const tally = await generate("put", (server.address() as AddressInfo).port, 0, 3 * MIB);
    expect(tally).toMatchObject({ code, errors: missing, requests: code === 0 ? 3 : 0 });
  });
});

describe.skipIf(load === undefined)("load active", () => {
  it("meters what is between its connections' opening and its tally", async () => {
    const port = await serve(HELLO);
    const marks: string[] = [];
    const meter = { start: () => marks.push("start"), stop: () => marks.push("stop") };
    const run = openedLoadOf((port, seconds) => [load as string, "active", port, 20, seconds, 5]);
    const tally = await run(port, 1, meter as unknown as CpuMeter);
    expect(tally.errors).toBe(0);
    expect(tally.requests).toBeGreaterThan(20);
    expect(marks).toEqual(["start", "stop"]);
  });

  it("names a server that does not answer the first request of a connection", async () => {
    const port = await serve(undefined);
    const run = openedLoadOf((port, seconds) => [load as string, "active", port, 2, seconds, 5]);
    await expect(run(port, 0.1, new CpuMeter({ cpuTimeNs: 0 }))).rejects.toThrow("load generator failed");
  });
});

describe.skipIf(load === undefined)("load slowloris", () => {
  it("counts dripping connections that the server has closed, and those that it has not", async () => {
    let connections = 0;
    const server = createServer((socket) => {
      socket.on("error", () => {});
      const closes = ++connections > 3; // of eight that drip, five are closed
      socket.on("data", (data) => {
        if (data.includes("X-Drip")) closes && socket.destroy();
        else if (data.length > 1) socket.write(HELLO);
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    cleanups.push(() => server.close());
    const port = (server.address() as AddressInfo).port;
    const run = loadOf((port, seconds) => [load as string, "slowloris", port, 8, 2, seconds]);
    const tally = await run(port, 2);
    expect(tally).toMatchObject({ errors: 0, left: 3 });
    expect(tally.requests).toBeGreaterThan(2);
  });
});
