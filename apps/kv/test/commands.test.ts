import { describe, expect, it } from "vitest";
import { CONVERSATIONS, OURS, WIRES, WIRES_APART } from "./conversations.js";
import { testServer } from "./support.js";

describe("commands", () => {
  it.each(Object.entries({ ...CONVERSATIONS, "what is ours alone": OURS }))("%s", async (_about, rows) => {
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

  it.each([...WIRES, ...WIRES_APART.map(([wire, here]) => [wire, here] as const)])(
    "%j",
    async (wire, answer) => {
      const client = testServer().connect();
      expect(await client.say(wire)).toBe(answer);
      expect(client.closed).toBe(answer.startsWith("-"));
    },
  );

  it("a time of millions of years is kept, and never negative", async () => {
    const { connect, host } = testServer();
    const client = connect();
    await client.ask("SET", "a", "1", "PX", "9000000000000000000");
    await host.advance(1000);
    expect(await client.ask("PTTL", "a")).toMatch(/^:[89]\d{18}\r\n$/);
    expect(await client.ask("GET", "a")).toBe("$1\r\n1\r\n");
  });

  it("RESET forgets the iterations of the client", async () => {
    const { connect, server } = testServer();
    for (let i = 0; i < 100; i++) server.db.store.set(`k${i}`, "v");
    const client = connect();
    const cursor = /\$\d+\r\n(\d+)/.exec(await client.ask("SCAN", "0"))?.[1] ?? "";
    expect(await client.ask("RESET")).toBe("+RESET\r\n");
    expect(await client.ask("SCAN", cursor)).toBe("*2\r\n$1\r\n0\r\n*0\r\n");
  });

  it("what a client wrote is quoted as it was, also where its capitals are no latin1", async () => {
    const client = testServer().connect();
    expect(await client.ask("COMMAND", "\xff\xb5")).toBe(
      "-ERR unknown subcommand '\xff\xb5'. Try COMMAND HELP.\r\n",
    );
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
