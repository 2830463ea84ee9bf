// The server as users start it, and the real redis-cli and redis-benchmark as its clients.

import { spawn } from "node:child_process";
import { createConnection } from "node:net";
import { MACHINES, startSample, withoutPort } from "@tw/tooling-samples";
import { describe, expect, it } from "vitest";

/** Runs one of Redis's tools to its end. */
function tool(name: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, { stdio: ["pipe", "pipe", "pipe"] });
    let said = "";
    for (const pipe of [child.stdout, child.stderr])
      pipe.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
    child.on("error", () => reject(new Error(`${name} is missing: install redis-tools`)));
    child.on("close", () => resolve(said));
    // One that needs no input may end before it has read any.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/** Everything that the server answers to these bytes, until it closes. */
function ask(port: number, wire: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, "127.0.0.1", () => socket.end(wire, "latin1"));
    let heard = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      heard += text;
    });
    socket.on("error", reject);
    socket.on("end", () => resolve(heard));
  });
}

const SESSION = `SET greeting "hello world"
GET greeting
INCR visits
INCR visits
EXPIRE greeting 100
TTL greeting
HSET h f v
GET h
MGET greeting nothing
KEYS *
DEL greeting visits
nonsense here
`;

describe.each(MACHINES)("the key-value server on $name", ({ env }) => {
  it("speaks with redis-cli, and ends with 0 on SIGTERM", async () => {
    const sample = await startSample("kv", env);
    const port = String(sample.port);
    expect(await tool("redis-cli", ["-p", port], SESSION)).toBe(
      "OK\nhello world\n1\n2\n1\n100\n1\nWRONGTYPE Operation against a key holding the wrong kind of value\n\n" +
        "hello world\n\ngreeting\nvisits\nh\n2\nERR unknown command 'nonsense', with args beginning with: 'here' \n\n",
    );
    expect(await tool("redis-cli", ["-p", port, "--scan"])).toBe("h\n");
    expect(await tool("redis-cli", ["-p", port, "--no-raw", "GET", "nothing"])).toBe("(nil)\n");
    expect(await tool("redis-cli", ["-p", port, "INFO"])).toContain("connected_clients:1");
    const listening = tool("redis-cli", ["-p", port, "SUBSCRIBE", "news"]);
    while ((await tool("redis-cli", ["-p", port, "PUBLISH", "news", "hi"])) === "0\n");
    expect(await sample.stop()).toMatchObject({ code: 0, stdout: `redis://localhost:${port}\n`, stderr: "" });
    expect(await listening).toMatch(/^subscribe\nnews\n1\nmessage\nnews\nhi\n/);
  });

  it("stands up to redis-benchmark, pipelined too", async () => {
    const sample = await startSample("kv", env);
    for (const pipeline of ["1", "16"]) {
      const said = await tool("redis-benchmark", [
        ...["-p", String(sample.port), "-t", "ping,set,get,incr,mset,hset", "-n", "2000", "-c", "50"],
        ...["-P", pipeline, "-r", "1000", "--csv"],
      ]);
      expect(said).not.toMatch(/error|warn/i);
      expect(said.trim().split("\n")).toHaveLength(8);
    }
    await sample.stop();
  });

  it("answers raw bytes, garbage too, and goes on", async () => {
    const sample = await startSample("kv", env);
    expect(await ask(sample.port, "*1\r\n$4\r\nPING\r\nPING\r\n")).toBe("+PONG\r\n+PONG\r\n");
    expect(await ask(sample.port, "*1\r\n$99999999\r\n")).toBe(
      "-ERR Protocol error: invalid bulk length\r\n",
    );
    expect(await ask(sample.port, "\0\xff\x01\n")).toMatch(/^-ERR unknown command/);
    expect(await ask(sample.port, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n\0\xff\r\nGET k\r\n")).toBe(
      "+OK\r\n$2\r\n\0\xff\r\n",
    );
    await sample.stop();
  });

  it("says in one line what is wrong with its port, and ends with 1", async () => {
    for (const { ending, expected } of await withoutPort("kv", { ...env, HOST: "" }))
      expect(ending).toEqual(expected);
  });
});
