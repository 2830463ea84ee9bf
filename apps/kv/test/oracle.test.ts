// A real redis-server answers the same.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CONVERSATIONS, WIRES, WIRES_APART } from "./conversations.js";
import { request } from "./support.js";

const folder = mkdtempSync(join(tmpdir(), "kv-oracle-"));
const path = join(folder, "redis.sock");
let redis: ChildProcess;

beforeAll(async () => {
  const settings = ["--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", folder];
  redis = spawn("redis-server", settings, { stdio: ["ignore", "pipe", "ignore"] });
  await new Promise<void>((resolve, reject) => {
    redis.on("error", () => reject(new Error("redis-server is missing: install redis-server")));
    redis.stdout?.setEncoding("utf8").on("data", (text: string) => {
      if (/ready to accept connections|server is now ready/i.test(text)) resolve();
    });
  });
});

afterAll(async () => {
  const ended = new Promise((resolve) => redis.once("exit", resolve));
  redis.kill();
  await ended;
  rmSync(folder, { recursive: true });
});

/** Sends a request, and waits for as many bytes as the expected answer has. */
function ask(socket: Socket, wire: string, length: number): Promise<string> {
  return new Promise((resolve) => {
    let heard = "";
    const listen = (text: string): void => {
      heard += text;
      if (heard.length < length && !heard.startsWith("-")) return;
      socket.off("data", listen);
      resolve(heard);
    };
    socket.on("data", listen);
    socket.write(wire, "latin1");
  });
}

describe("a real redis-server agrees about", () => {
  it.each(Object.entries(CONVERSATIONS))("%s", async (_about, rows) => {
    const socket = createConnection(path).setEncoding("latin1");
    await ask(socket, request("FLUSHALL"), 5);
    for (const [words, answer] of rows)
      expect([words, await ask(socket, request(...words.split(" ")), answer.length)]).toEqual([
        words,
        answer,
      ]);
    socket.destroy();
  });

  it.each(WIRES)("%j", async (wire, answer) => {
    const socket = createConnection(path).setEncoding("latin1");
    expect(await ask(socket, wire, answer.length)).toBe(answer);
    socket.destroy();
  });
});

describe("a real redis-server answers otherwise, as the README says, to", () => {
  it.each(WIRES_APART)("%j", async (wire, _here, there) => {
    const socket = createConnection(path).setEncoding("latin1");
    expect(await ask(socket, wire, there.length)).toBe(there);
    socket.destroy();
  });
});
