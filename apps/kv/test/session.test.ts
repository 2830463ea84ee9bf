import { describe, expect, it } from "vitest";
import { request, testServer } from "./support.js";

describe("Session", () => {
  it("answers the requests of one read in one write", async () => {
    const { connect } = testServer();
    const client = connect();
    const views: number[] = [];
    client.stream.detach();
    client.stream.attach({
      onBytes: (view) => void views.push(view.length),
      onEnd() {},
      onDrain() {},
      onClose() {},
    });
    await client.say("PING\r\n".repeat(1000));
    expect(views).toEqual([7000]);
  });

  it.each([1, 2, 7])("answers the same however the requests are cut (%i bytes)", async (size) => {
    const { connect } = testServer();
    const client = connect();
    const wire = `${request("SET", "a", "x".repeat(50)) + request("GET", "a")}INCR "i"\r\nGET i\r\n`;
    let heard = "";
    for (let at = 0; at < wire.length; at += size) heard += await client.say(wire.slice(at, at + size));
    expect(heard).toBe(`+OK\r\n$50\r\n${"x".repeat(50)}\r\n:1\r\n$1\r\n1\r\n`);
  });

  it("a protocol error is answered, behind the answers before it, and ends the connection", async () => {
    const { connect, server, host } = testServer();
    const client = connect();
    expect(await client.say("PING\r\n*1\r\n!x\r\nPING\r\n")).toBe(
      "+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n",
    );
    await host.advance(10_000);
    expect([client.closed, server.db.stats.clients]).toEqual([true, 0]);
  });

  it("an HTTP request, which a page in a browser could send, runs nothing", async () => {
    const { connect, server } = testServer();
    const body = "SET a 1\r\n";
    const answer = await connect().say(
      `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n${body}`,
    );
    expect(answer).toBe("-ERR this is not an HTTP server\r\n");
    await connect().say(`GET / HTTP/1.1\r\nHost: localhost\r\n\r\n${body}`);
    expect(server.db.store.size).toBe(0);
  });

  it("QUIT is answered, and nothing behind it", async () => {
    const { connect, host } = testServer();
    const client = connect();
    expect(await client.say("QUIT\r\nPING\r\n")).toBe("+OK\r\n");
    await host.advance(10_000);
    expect(client.closed).toBe(true);
  });

  it("a client that has sent its last request gets its answers", async () => {
    const { connect, host } = testServer();
    const client = connect();
    client.stream.send("PING\r\nPING\r\n");
    client.stream.end();
    expect(await client.listen()).toBe("+PONG\r\n+PONG\r\n");
    await host.advance(10_000);
    expect(client.closed).toBe(true);
  });

  it("maxClients: one more is told so and closed; a place that is free again is given", async () => {
    const { connect, host, server } = testServer({ maxClients: 2 });
    const [first, second, third] = [connect(), connect(), connect()];
    expect(await third.listen()).toBe("-ERR max number of clients reached\r\n");
    expect(await second.ask("PING")).toBe("+PONG\r\n");
    first.stream.abort();
    await host.advance(10_000);
    expect([third.closed, server.db.stats.clients]).toEqual([true, 1]);
    expect(await connect().ask("PING")).toBe("+PONG\r\n");
  });

  it("a client that asks and does not read is not read either, and loses nothing", async () => {
    const { connect, server, host } = testServer({ maxReplyBuffer: 50_000 });
    server.db.store.set("big", "x".repeat(10_000));
    const client = connect({ capacity: 1000 });
    client.stream.pause();
    for (let i = 0; i < 2000; i++) client.stream.send(request("GET", "big"));
    await host.advance(100);
    const before = server.db.stats.commands;
    expect(before).toBeLessThan(50);
    expect(client.stream.bufferedAmount).toBeGreaterThan(0);
    client.stream.resume();
    for (let i = 0; i < 200 && client.heard.length < 2000 * 10_010; i++) await host.advance(1000);
    expect(client.heard.length).toBe(2000 * (10_000 + "$10000\r\n\r\n".length));
    expect(server.db.stats.commands).toBe(2000);
  });

  it("a fault of a command is an answer and a line in the log, not the end", async () => {
    const { connect, server, logged } = testServer();
    const fault = new Error("ours");
    server.db.store.get = () => {
      throw fault;
    };
    const client = connect();
    expect(await client.ask("GET", "a")).toBe("-ERR internal error\r\n");
    expect(logged).toEqual([fault]);
    expect(await client.ask("PING")).toBe("+PONG\r\n");
  });

  it("shutdown() lets answers out and ends every connection", async () => {
    const { connect, server, host } = testServer();
    const clients = [connect(), connect()];
    clients[0]?.stream.send("PING\r\n");
    await host.advance(0);
    const down = server.shutdown();
    await host.advance(10_000);
    await down;
    expect(clients.map(({ closed }) => closed)).toEqual([true, true]);
    expect(clients[0]?.heard).toBe("+PONG\r\n");
  });
});

describe("publishing", () => {
  it("tells everybody who listens, by name and by pattern", async () => {
    const { connect } = testServer();
    const [a, b, speaker] = [connect(), connect(), connect()];
    expect(await a.ask("SUBSCRIBE", "news", "sport")).toBe(
      "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$5\r\nsport\r\n:2\r\n",
    );
    await b.ask("PSUBSCRIBE", "n*");
    expect(await speaker.ask("PUBLISH", "news", "hi")).toBe(":2\r\n");
    expect(await a.listen()).toBe("*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n");
    expect(await b.listen()).toBe("*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$2\r\nhi\r\n");
    expect(await speaker.ask("PUBSUB", "NUMSUB", "news", "x")).toBe(
      "*4\r\n$4\r\nnews\r\n:1\r\n$1\r\nx\r\n:0\r\n",
    );
    expect(await speaker.ask("PUBSUB", "NUMPAT")).toBe(":1\r\n");
    expect(await a.ask("UNSUBSCRIBE")).toBe(
      "*3\r\n$11\r\nunsubscribe\r\n$4\r\nnews\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$5\r\nsport\r\n:0\r\n",
    );
    expect(await a.ask("UNSUBSCRIBE")).toBe("*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n");
    expect(await speaker.ask("PUBLISH", "news", "hi")).toBe(":1\r\n");
    expect(await a.ask("GET", "x")).toBe("$-1\r\n");
  });

  it("a client that listens may do little else", async () => {
    const { connect } = testServer();
    const client = connect();
    await client.ask("SUBSCRIBE", "a");
    expect(await client.ask("GET", "x")).toBe(
      "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n",
    );
    expect(await client.ask("PING")).toBe("*2\r\n$4\r\npong\r\n$0\r\n\r\n");
  });

  it("a listener that goes leaves nothing behind", async () => {
    const { connect, server, host } = testServer();
    const client = connect();
    await client.ask("SUBSCRIBE", "a", "b");
    await client.ask("PSUBSCRIBE", "c*");
    client.stream.abort();
    await host.advance(10_000);
    expect([server.db.pubsub.channels.size, server.db.pubsub.patterns.size]).toEqual([0, 0]);
    expect(await connect().ask("PUBLISH", "a", "x")).toBe(":0\r\n");
  });

  it("a listener that does not read is disconnected at maxSubscriberBuffer, and others hear on", async () => {
    const { connect, server, host } = testServer({ maxSubscriberBuffer: 20_000 });
    const slow = connect({ capacity: 1000 });
    const quick = connect();
    const speaker = connect();
    await slow.ask("SUBSCRIBE", "a");
    await quick.ask("SUBSCRIBE", "a");
    slow.stream.pause();
    for (let i = 0; i < 19; i++) await speaker.ask("PUBLISH", "a", "x".repeat(1000));
    expect(server.db.stats.clients).toBe(3);
    for (let i = 0; i < 5; i++) await speaker.ask("PUBLISH", "a", "x".repeat(1000));
    await host.advance(10);
    expect(server.db.stats.clients).toBe(2);
    expect(await speaker.ask("PUBLISH", "a", "x")).toBe(":1\r\n");
    expect((await quick.listen()).match(/message/g)).toHaveLength(25);
  });

  it("maxPatternSize binds what a client names to listen or to look for, and nothing of it happens", async () => {
    const { connect, server } = testServer({ maxPatternSize: 4 });
    const client = connect();
    const refused = "-ERR channel or pattern is too long\r\n";
    for (const words of ["SUBSCRIBE a abcde", "PSUBSCRIBE abcde", "PUBLISH abcde m", "KEYS abcd*"])
      expect([words, await client.ask(...words.split(" "))]).toEqual([words, refused]);
    for (const words of ["SCAN 0 MATCH abcd*", "PUBSUB CHANNELS abcd*"])
      expect([words, await client.ask(...words.split(" "))]).toEqual([words, refused]);
    expect(server.db.pubsub.channels.size).toBe(0);
    expect(await client.ask("KEYS", "abc*")).toBe("*0\r\n");
    expect(await client.ask("PUBLISH", "abcd", "m")).toBe(":0\r\n");
    expect(await client.ask("SUBSCRIBE", "abcd")).toContain("abcd");
  });

  it("maxSubscriptions binds channels and patterns together", async () => {
    const { connect } = testServer({ maxSubscriptions: 2 });
    const client = connect();
    await client.ask("SUBSCRIBE", "a");
    expect(await client.ask("PSUBSCRIBE", "b", "c")).toBe(
      "*3\r\n$10\r\npsubscribe\r\n$1\r\nb\r\n:2\r\n-ERR too many subscriptions\r\n",
    );
    expect(await client.ask("SUBSCRIBE", "a")).toBe("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:2\r\n");
  });
});
