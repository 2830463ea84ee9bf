import { describe, expect, it } from "vitest";
import { testServer } from "./support.js";

/** Requests as words, and the answers to them; each row meets what the rows before it left. */
const CONVERSATIONS: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  strings: [
    ["SET a 1", "+OK\r\n"],
    ["get a", "$1\r\n1\r\n"],
    ["GET b", "$-1\r\n"],
    ["SET a 2 NX", "$-1\r\n"],
    ["SET b 2 XX", "$-1\r\n"],
    ["SET a 3 XX GET", "$1\r\n1\r\n"],
    ["SET a 3 NX XX", "-ERR syntax error\r\n"],
    ["SET a 3 EX", "-ERR syntax error\r\n"],
    ["SET a 3 EX 0", "-ERR invalid expire time in 'set' command\r\n"],
    ["SET a 3 EX x", "-ERR value is not an integer or out of range\r\n"],
    ["SETNX a 4", ":0\r\n"],
    ["SETNX n 4", ":1\r\n"],
    ["MSET x 1 y 2", "+OK\r\n"],
    ["MSET x 1 y", "-ERR wrong number of arguments for 'mset' command\r\n"],
    ["MGET x nothing y", "*3\r\n$1\r\n1\r\n$-1\r\n$1\r\n2\r\n"],
    ["APPEND x 23", ":3\r\n"],
    ["STRLEN x", ":3\r\n"],
    ["GETSET x 5", "$3\r\n123\r\n"],
    ["GETDEL x", "$1\r\n5\r\n"],
    ["EXISTS x y y", ":2\r\n"],
  ],
  integers: [
    ["INCR i", ":1\r\n"],
    ["DECR i", ":0\r\n"],
    ["INCRBY i 41", ":41\r\n"],
    ["DECRBY i -1", ":42\r\n"],
    ["SET i 9223372036854775807", "+OK\r\n"],
    ["INCR i", "-ERR increment or decrement would overflow\r\n"],
    ["DECRBY i -9223372036854775808", "-ERR decrement would overflow\r\n"],
    ["DECR i", ":9223372036854775806\r\n"],
    ["SET i 1.5", "+OK\r\n"],
    ["INCR i", "-ERR value is not an integer or out of range\r\n"],
  ],
  keys: [
    ["MSET one 1 two 2 three 3", "+OK\r\n"],
    ["KEYS t*", "*2\r\n$3\r\ntwo\r\n$5\r\nthree\r\n"],
    ["DBSIZE", ":3\r\n"],
    ["SCAN 0 COUNT 2", "*2\r\n$1\r\n1\r\n*2\r\n$3\r\none\r\n$3\r\ntwo\r\n"],
    ["SCAN 0 MATCH th* COUNT 100", "*2\r\n$1\r\n0\r\n*1\r\n$5\r\nthree\r\n"],
    ["SCAN 12345", "*2\r\n$1\r\n0\r\n*0\r\n"],
    ["SCAN x", "-ERR invalid cursor\r\n"],
    ["SCAN 0 COUNT 0", "-ERR syntax error\r\n"],
    ["DEL one two nothing", ":2\r\n"],
    ["TYPE three", "+string\r\n"],
    ["FLUSHDB", "+OK\r\n"],
    ["DBSIZE", ":0\r\n"],
  ],
  "hashes, and values of the wrong kind": [
    ["HSET h f 1 g 2", ":2\r\n"],
    ["HSET h f 3", ":0\r\n"],
    ["HGET h f", "$1\r\n3\r\n"],
    ["HLEN h", ":2\r\n"],
    ["HGETALL h", "*4\r\n$1\r\nf\r\n$1\r\n3\r\n$1\r\ng\r\n$1\r\n2\r\n"],
    ["GET h", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"],
    ["INCR h", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"],
    ["MGET h", "*1\r\n$-1\r\n"],
    ["TYPE h", "+hash\r\n"],
    ["HDEL h f g x", ":2\r\n"],
    ["EXISTS h", ":0\r\n"],
    ["SET s 1", "+OK\r\n"],
    ["HGET s f", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"],
    ["HSET s f 1", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"],
    ["HSET h f", "-ERR wrong number of arguments for 'hset' command\r\n"],
  ],
  "the connection": [
    ["PING", "+PONG\r\n"],
    ["PING hello", "$5\r\nhello\r\n"],
    ["ECHO hello", "$5\r\nhello\r\n"],
    ["SELECT 0", "+OK\r\n"],
    ["SELECT 1", "-ERR DB index is out of range\r\n"],
    ["CONFIG GET save", "*2\r\n$4\r\nsave\r\n$0\r\n\r\n"],
    ["CONFIG GET nothing", "*0\r\n"],
    ["COMMAND DOCS", "*0\r\n"],
    ["GET", "-ERR wrong number of arguments for 'get' command\r\n"],
    ["GET a b", "-ERR wrong number of arguments for 'get' command\r\n"],
    ["constructor", "-ERR unknown command 'constructor', with args beginning with: \r\n"],
    ["FOO bar baz", "-ERR unknown command 'FOO', with args beginning with: 'bar' 'baz' \r\n"],
  ],
};

describe("commands", () => {
  it.each(Object.entries(CONVERSATIONS))("%s", async (_about, rows) => {
    const { connect, logged } = testServer();
    const client = connect();
    for (const [words, answer] of rows) {
      // A cursor is whichever number comes next.
      const got = (await client.ask(...words.split(" "))).replace(
        /^(\*2\r\n)\$\d+\r\n[1-9]\d*\r\n/,
        "$1$$1\r\n1\r\n",
      );
      expect([words, got]).toEqual([words, answer]);
    }
    expect(logged).toEqual([]);
  });

  it("SCAN goes through all keys by its cursors, and forgets the oldest of too many", async () => {
    const { connect, server } = testServer();
    for (let i = 0; i < 100; i++) server.db.store.set(`k${i}`, "v");
    const client = connect();
    const seen: string[] = [];
    for (let cursor = "0"; ; ) {
      const [head = "", ...found] = [
        ...(await client.ask("SCAN", cursor)).matchAll(/\$\d+\r\n(.*)\r\n/g),
      ].map(([, text = ""]) => text);
      seen.push(...found);
      cursor = head;
      if (cursor === "0") break;
    }
    expect(seen.sort()).toEqual([...server.db.store.keys()].sort());
    const first = /\$\d+\r\n(\d+)/.exec(await client.ask("SCAN", "0"))?.[1] ?? "";
    for (let i = 0; i < 16; i++) await client.ask("SCAN", "0");
    expect(await client.ask("SCAN", first)).toBe("*2\r\n$1\r\n0\r\n*0\r\n");
  });

  it("what a client sent never becomes a line of an answer of its own", async () => {
    const { connect } = testServer();
    expect(await connect().ask("a\r\n+OK\r\n", "b\nc")).toBe(
      "-ERR unknown command 'a  +OK  ', with args beginning with: 'b c' \r\n",
    );
  });

  it("times: EX, PX, EXPIRE, TTL, PTTL, PERSIST and KEEPTTL", async () => {
    const { connect, host, server } = testServer();
    const client = connect();
    await client.ask("SET", "a", "1", "EX", "10");
    await client.ask("SET", "b", "1", "PX", "500");
    expect(await client.ask("TTL", "a")).toBe(":10\r\n");
    expect(await client.ask("PTTL", "b")).toBe(":500\r\n");
    expect(await client.ask("TTL", "nothing")).toBe(":-2\r\n");
    await host.advance(499);
    expect(await client.ask("GET", "b")).toBe("$1\r\n1\r\n");
    await host.advance(1);
    expect(await client.ask("GET", "b")).toBe("$-1\r\n");
    await client.ask("SET", "a", "2", "KEEPTTL");
    expect(await client.ask("PTTL", "a")).toBe(":9500\r\n");
    expect(await client.ask("PERSIST", "a")).toBe(":1\r\n");
    expect(await client.ask("PERSIST", "a")).toBe(":0\r\n");
    expect(await client.ask("TTL", "a")).toBe(":-1\r\n");
    expect(await client.ask("EXPIRE", "a", "1")).toBe(":1\r\n");
    expect(await client.ask("EXPIRE", "nothing", "1")).toBe(":0\r\n");
    await client.ask("SET", "a", "3");
    expect(await client.ask("TTL", "a")).toBe(":-1\r\n");
    expect(await client.ask("PEXPIRE", "a", "-1")).toBe(":1\r\n");
    expect(await client.ask("EXISTS", "a")).toBe(":0\r\n");
    expect(await client.ask("EXPIRE", "a", "9223372036854775807")).toBe(
      "-ERR invalid expire time in 'expire' command\r\n",
    );
    expect(server.db.store.size).toBe(0);
  });

  it("keys that nobody asks for are swept away, and no timer is left behind", async () => {
    const { connect, host, server } = testServer();
    const client = connect();
    for (let i = 0; i < 1000; i++) client.stream.send(`SET k${i} v PX 1000\r\n`);
    await client.listen();
    expect(server.db.store.size).toBe(1000);
    await host.advance(2000);
    expect([server.db.store.size, server.db.store.expiring]).toEqual([0, 0]);
  });

  it("maxMemory refuses what adds, and nothing else", async () => {
    const { connect } = testServer({ maxMemory: 400 });
    const client = connect();
    await client.ask("SET", "a", "x".repeat(280));
    const oom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    expect(await client.ask("SET", "b", "x".repeat(30))).toBe(oom);
    expect(await client.ask("APPEND", "a", "x".repeat(30))).toBe(oom);
    expect(await client.ask("GET", "b")).toBe("$-1\r\n");
    expect(await client.ask("DEL", "a")).toBe(":1\r\n");
    expect(await client.ask("SET", "b", "x".repeat(30))).toBe("+OK\r\n");
  });

  it("maxReplySize refuses one value asked for many times, and any other answer", async () => {
    const { connect } = testServer({ maxReplySize: 1000 });
    const client = connect();
    for (let i = 0; i < 70; i++) await client.ask("HSET", "h", `field ${i}`, "x");
    expect(await client.ask("HGETALL", "h")).toBe("-ERR reply is too large\r\n");
    await client.ask("SET", "a", "x".repeat(400));
    expect((await client.ask("MGET", "a", "a")).length).toBeGreaterThan(800);
    expect(await client.ask("MGET", "a", "a", "a")).toBe("-ERR reply is too large\r\n");
  });
});
