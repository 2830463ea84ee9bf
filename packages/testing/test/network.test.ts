import { AsyncLocalStorage } from "node:async_hooks";
import { IOLoop } from "@tw/ioloop";
import { virtualLoop } from "@tw/ioloop/testing";
import { nullLogger } from "@tw/log";
import { type Listener, TCPClient, TCPServer } from "@tw/tcp";
import { describe, expect, it } from "vitest";
import {
  SimulatedNetwork,
  type SimulateOptions,
  type Simulation,
  simulate,
  transportConformance,
} from "../src/index.js";
import { ask, connect, echoServer, outcome } from "./support.js";

const run = <T>(fn: (simulation: Simulation) => Promise<T>, options: SimulateOptions = {}): Promise<T> =>
  simulate(fn, { logger: nullLogger, ...options });

transportConformance(
  "simulated",
  async () => {
    const { loop, host } = virtualLoop({ logger: nullLogger });
    const network = new SimulatedNetwork(loop, { latencyMs: [0, 4] });
    let arrived: Parameters<Parameters<typeof network.listen>[1]>[0] | undefined;
    const place = { address: "127.0.0.1", family: 4, port: 7, engine: undefined } as const;
    const accepted = (transport: typeof arrived): void => {
      arrived = transport;
    };
    await network.listen({ ...place, backlog: 1 }, accepted);
    const a = await host.run(() => network.connect(place));
    await host.advance(10);
    if (arrived === undefined) throw new Error("nothing arrived");
    return { a, b: arrived, resets: true, settle: () => host.advance(5) };
  },
  {
    describe,
    // The two ends are made in contexts of their own, which the network's suite examines.
    it: (name, test) => void (name.includes("async context") || it(name, test)),
  },
);

describe("hosts", () => {
  it("have names, addresses and loops of their own, on which unchanged servers and clients meet", async () => {
    await run(async ({ network, clock }) => {
      const [alice, bob] = [network.host("alice"), network.host("bob.example", "192.0.2.1", "2001:db8::1")];
      network.link(alice, bob, { latencyMs: 20 });
      await using server = await echoServer(bob.loop, 7);
      const stream = await connect(alice, "bob.example", 7);
      expect(clock.now()).toBe(40);
      expect(stream.info).toMatchObject({
        localAddress: alice.addresses[0]?.address,
        remoteAddress: "192.0.2.1",
        remotePort: 7,
      });
      expect(await ask(stream, "hello")).toBe("hello");
      expect(clock.now()).toBe(80);
      await stream.close();
      await server.stop();
    });
  });

  it("have a loopback each: what listens there is reached from there only", async () => {
    await run(async ({ network, clock }) => {
      const [alice, bob] = [network.host("alice"), network.host("bob")];
      await using _server = await echoServer(bob.loop, 7, "127.0.0.1");
      await (await connect(bob, "localhost", 7)).close();
      expect((await outcome(clock, connect(alice, "localhost", 7)))[0]).toBe("ECONNREFUSED");
      expect((await outcome(clock, connect(alice, "bob", 7)))[0]).toBe("ECONNREFUSED");
    });
  });

  it("are reached over one loop too: who listens on an address of a host, listens there", async () => {
    await run(async ({ network }) => {
      network.host("api.example", "192.0.2.80");
      await using _server = await echoServer(IOLoop.current(), 80, "192.0.2.80");
      const stream = await new TCPClient().connect("api.example", 80);
      expect(stream.info.remoteAddress).toBe("192.0.2.80");
      expect(await ask(stream, "x")).toBe("x");
      await stream.close();
    });
  });

  it("refuse addresses that are none, or another's, and need the clock for loops of their own", () => {
    const network = new SimulatedNetwork(virtualLoop().loop);
    network.host("a", "192.0.2.1");
    expect(() => network.host("b", "192.0.2.1")).toThrow(RangeError);
    expect(() => network.host("b", "b.example")).toThrow(RangeError);
    expect(network.host("a")).toBe(network.host("a", "192.0.2.9"));
    expect(() => network.host("a").loop).toThrow(TypeError);
  });

  it("listen on their own addresses only, and never twice on one, any-address included", async () => {
    await run(async ({ network }) => {
      const host = network.host("a", "192.0.2.1", "192.0.2.2");
      const listen = async (address: string, reusePort = false): Promise<Listener> =>
        await host.listen(
          { address, port: 80, family: 4, backlog: 1, engine: undefined, reusePort },
          () => undefined,
        );
      await expect(listen("192.0.2.3")).rejects.toMatchObject({ code: "EADDRNOTAVAIL", syscall: "listen" });
      const one = await listen("192.0.2.1");
      await expect(listen("0.0.0.0")).rejects.toMatchObject({ code: "EADDRINUSE" });
      await (await listen("192.0.2.2")).close();
      await one.close();
      const any = await listen("0.0.0.0");
      await expect(listen("192.0.2.2")).rejects.toMatchObject({ code: "EADDRINUSE" });
      await any.close();
      const shared = [await listen("192.0.2.1", true), await listen("192.0.2.1", true)];
      await expect(listen("192.0.2.1")).rejects.toMatchObject({ code: "EADDRINUSE" });
      for (const listener of shared) await listener.close();
      await expect(
        host.listen(
          { address: "", port: 0, family: 4, backlog: 1, engine: undefined, fd: 3 },
          () => undefined,
        ),
      ).rejects.toMatchObject({ code: "ENOTSUP" });
    });
  });

  it("share a port in turns where servers ask for it", async () => {
    await run(async ({ network }) => {
      const counts = [0, 0];
      const place = {
        address: "127.0.0.1",
        port: 80,
        family: 4,
        backlog: 9,
        engine: undefined,
        reusePort: true,
      } as const;
      for (const i of [0, 1] as const) {
        await network.listen(place, (transport) => {
          (counts[i] as number)++;
          transport.abort();
        });
      }
      for (let i = 0; i < 4; i++) (await new TCPClient().connect("127.0.0.1", 80)).abort();
      await new Promise<void>((resolve) => network.loop.callLater(1, resolve));
      expect(counts).toEqual([2, 2]);
    });
  });
});

/** Bytes in a millisecond: a power of two, so that sums of times are exact. */
const RATE = 128;
/** What a link holds by default. */
const CAPACITY = 65_536;

describe("ways", () => {
  it("of a rate pass so many bytes in a millisecond", async () => {
    await run(
      async ({ clock }) => {
        await using _server = await echoServer(IOLoop.current(), 7);
        const stream = await new TCPClient().connect("localhost", 7);
        await ask(stream, "x".repeat(1000));
        expect(clock.now()).toBe(200);
        await stream.close();
      },
      { bytesPerMs: 10 },
    );
  });

  it.each(
    [1000, 65_535, 65_536, 65_537, 98_304, 131_072, 1_000_000].flatMap((size) => [
      { size, writes: "whole" as const },
      { size, writes: "random" as const },
    ]),
  )("of a rate take for $size bytes what these take, whatever fits at a time: $writes", async (row) => {
    const { size, writes } = row;
    await run(
      async ({ clock }) => {
        const times: number[] = [];
        await using server = new TCPServer(async (stream) => {
          for (let left = size; left > 0; times.push(clock.now())) {
            left -= (await stream.readBytes(left, { partial: true })).length;
          }
          await stream.close();
        });
        await server.listen(7);
        const stream = await new TCPClient().connect("localhost", 7);
        await stream.write(new Uint8Array(size));
        await stream.readUntilClose();
        await stream.close();
        expect(times.at(-1)).toBe(size / RATE);
        if (writes === "whole") expect(times[0]).toBe(Math.min(size, CAPACITY) / RATE);
      },
      { bytesPerMs: RATE, writes },
    );
  });

  it("of a rate are shared by what is written one after the other", async () => {
    await run(
      async ({ network, loop, clock }) => {
        const place = { address: "127.0.0.1", port: 7, family: 4, engine: undefined } as const;
        const times: number[] = [];
        const ignore = (): void => undefined;
        const onBytes = (): void => void times.push(clock.now());
        await network.listen({ ...place, backlog: 1 }, (transport) => {
          transport.start({ onBytes, onEnd: () => transport.end(), onDrain: ignore, onClose: ignore });
        });
        const near = await network.connect(place);
        near.start({ onBytes: ignore, onEnd: ignore, onDrain: ignore, onClose: ignore });
        for (let i = 0; i < 3; i++) near.write(["x".repeat(100)]);
        near.end();
        await clockTo(loop, 100);
        expect(times).toEqual([10, 20, 30]);
      },
      { bytesPerMs: 10 },
    );
  });

  it("that cut everything into single bytes, and take writes in parts, lose nothing", async () => {
    await run(
      async () => {
        await using _server = await echoServer(IOLoop.current(), 7);
        const stream = await new TCPClient().connect("localhost", 7);
        const text = Array.from({ length: 2000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join("");
        expect(await ask(stream, text)).toBe(text);
        await stream.close();
      },
      { pieces: "bytes", writes: "random", latencyMs: [0, 7], capacity: 64 },
    );
  });

  it("that break now and then show ECONNRESET at both ends", async () => {
    await run(
      async ({ network }) => {
        const errors: unknown[] = [];
        await using _server = new TCPServer(async (stream) => {
          await stream.readBytes(1_000_000).catch((error) => errors.push(error.cause?.code));
        });
        await _server.listen(7);
        const stream = await new TCPClient().connect("localhost", 7);
        while (!stream.closed) {
          stream.write("x").catch(() => undefined);
          await new Promise<void>((resolve) => network.loop.callLater(1, resolve));
        }
        expect([(stream.error as { code: string }).code, ...errors]).toEqual(["ECONNRESET", "ECONNRESET"]);
        expect(network.connections).toEqual([]);
      },
      { resetChance: 0.05 },
    );
  });

  it("change while connections are open", async () => {
    await run(async ({ network, clock }) => {
      const { localhost } = network;
      await using _server = await echoServer(localhost.loop, 7);
      const stream = await connect(localhost, "localhost", 7);
      await ask(stream, "x");
      const before = clock.now();
      network.link(localhost, localhost, { latencyMs: 50 });
      await ask(stream, "x");
      expect(clock.now() - before).toBe(100);
      await stream.close();
    });
  });

  it.each([
    { latencyMs: -1 },
    { latencyMs: [2, 1] as const },
    { latencyMs: Number.NaN },
    { bytesPerMs: 0 },
    { pieces: "some" as never },
    { writes: "bytes" as never },
    { capacity: 0 },
    { capacity: 1.5 },
    { resetChance: 1.01 },
    { resetChance: -0.01 },
  ])("refuse %o, and stay what they were", (options) => {
    const { loop } = virtualLoop();
    expect(() => new SimulatedNetwork(loop, options)).toThrow(RangeError);
    const network = new SimulatedNetwork(loop);
    expect(() => network.link(network.localhost, network.host("a"), options)).toThrow(RangeError);
  });
});

describe("faults of connections", () => {
  it("reset() breaks both ends and loses what is on its way", async () => {
    await run(async ({ network, clock }) => {
      await using _server = await echoServer(network.loop, 7);
      const stream = await new TCPClient().connect("localhost", 7);
      const answer = stream.readBytes(1);
      expect(network.connections).toHaveLength(1);
      network.connections[0]?.reset();
      expect(await outcome(clock, answer)).toEqual(["ECONNRESET", 0]);
    });
  });

  it("hold() and letGo() delay one connection and leave the others alone", async () => {
    await run(async ({ network, clock }) => {
      await using _server = await echoServer(network.loop, 7);
      const client = new TCPClient();
      const [held, free] = [await client.connect("localhost", 7), await client.connect("localhost", 7)];
      network.connections[0]?.hold();
      const late = ask(held, "late");
      expect(await ask(free, "soon")).toBe("soon");
      network.loop.callLater(500, () => network.connections[0]?.letGo());
      expect(await late).toBe("late");
      expect(clock.now()).toBe(500);
      await Promise.all([held.close(), free.close()]);
    });
  });

  it("half-close reaches the other side after the bytes, and the answer still comes", async () => {
    await run(
      async () => {
        const server = new TCPServer(async (stream) => {
          const all = await stream.readUntilClose();
          await stream.write(all);
          await stream.close();
        });
        await server.listen(7);
        const stream = await new TCPClient().connect("localhost", 7);
        await stream.write("question");
        await stream.end();
        expect((await stream.readUntilClose()).length).toBe(8);
        await server.stop();
      },
      { latencyMs: 5, pieces: "random" },
    );
  });
});

describe("partition()", () => {
  it("delays what is sent until it is healed, in both directions, and tells nobody", async () => {
    await run(async ({ network, clock }) => {
      const [alice, bob, carol] = [network.host("alice"), network.host("bob"), network.host("carol")];
      await using _server = await echoServer(bob.loop, 7);
      const [one, other] = [await connect(alice, "bob", 7), await connect(carol, "bob", 7)];
      const heal = network.partition(alice, bob);
      const late = ask(one, "late");
      expect(await ask(other, "soon")).toBe("soon");
      await clockTo(network.loop, 90_000);
      expect(one.closed).toBe(false);
      heal();
      heal();
      expect(await late).toBe("late");
      expect(clock.now()).toBe(90_000);
      await Promise.all([one.close(), other.close()]);
    });
  });

  it("that overlaps another one holds what is open until both are healed", async () => {
    await run(async ({ network, loop, clock }) => {
      const [alice, bob] = [network.host("alice"), network.host("bob")];
      await using _server = await echoServer(bob.loop, 7);
      const stream = await connect(alice, "bob", 7);
      const heals = [network.partition(bob), network.partition(alice, bob)];
      loop.callLater(100, () => heals[0]?.());
      loop.callLater(200, () => heals[1]?.());
      await ask(stream, "late");
      expect(clock.now()).toBe(200);
      await stream.close();
    });
  });

  it("of a host from all leaves it its loopback, and two of them must both be healed", async () => {
    await run(async ({ network, clock }) => {
      const [alice, bob] = [network.host("alice"), network.host("bob")];
      await using _server = await echoServer(bob.loop, 7);
      const heals = [network.partition(bob), network.partition(alice)];
      await (await connect(bob, "bob", 7)).close();
      for (const heal of heals) {
        expect((await outcome(clock, connect(alice, "bob", 7, 500)))[0]).toBe("ERR_TW_CONNECT_TIMEOUT");
        heal();
      }
      await (await connect(alice, "bob", 7)).close();
    });
  });

  it("makes connecting wait for the next attempt: 1, 3, 7 seconds after the first", async () => {
    await run(
      async ({ network, clock }) => {
        const [alice, bob] = [network.host("alice"), network.host("bob")];
        await using _server = await echoServer(bob.loop, 7);
        const heal = network.partition(alice);
        alice.loop.callLater(3500, heal);
        const stream = await connect(alice, "bob", 7);
        expect(clock.now()).toBe(7020);
        await stream.close();
      },
      { latencyMs: 10 },
    );
  });

  it("that never ends is ETIMEDOUT after two minutes", async () => {
    await run(async ({ network, clock }) => {
      const [alice, bob] = [network.host("alice"), network.host("bob", "192.0.2.1")];
      network.partition(bob);
      expect(await outcome(clock, connect(alice, "bob", 7, 0))).toEqual(["ETIMEDOUT", 127_000]);
    });
  });
});

describe("connecting", () => {
  it("to a port where nobody listens is refused after one round trip", async () => {
    await run(
      async ({ clock, network }) => {
        const client = new TCPClient();
        expect(await outcome(clock, client.connect("10.0.0.1", 7))).toEqual(["ECONNREFUSED", 30]);
        await expect(client.connect("10.0.0.1", 7)).rejects.toMatchObject({
          syscall: "connect",
          address: "10.0.0.1",
          port: 7,
        });
        await expect(client.connect("203.0.113.1", 7)).rejects.toMatchObject({ code: "EHOSTUNREACH" });
        await expect(client.connect("10.0.0.1", 7, { sourceIp: "203.0.113.1" })).rejects.toMatchObject({
          code: "EADDRNOTAVAIL",
        });
        expect(network.connections).toEqual([]);
      },
      { latencyMs: 15 },
    );
  });

  it("to a port whose packets are dropped waits until its own time is over, or the drop is", async () => {
    await run(async ({ network, clock }) => {
      const { localhost } = network;
      await using _server = await echoServer(localhost.loop, 7);
      const stop = localhost.drop(7);
      expect(await outcome(clock, connect(localhost, "10.0.0.1", 7, 5000))).toEqual([
        "ERR_TW_CONNECT_TIMEOUT",
        5000,
      ]);
      localhost.loop.callLater(500, stop);
      const stream = await connect(localhost, "10.0.0.1", 7);
      expect(clock.now()).toBe(6000);
      await stream.close();
    });
  });

  it("to a server whose queue is full waits for a place in it", async () => {
    await run(async ({ network, clock }) => {
      const place = { address: "127.0.0.1", port: 7, family: 4, engine: undefined } as const;
      const seen: number[] = [];
      const listener = await network.listen({ ...place, backlog: 2 }, (transport) => {
        seen.push(clock.now());
        transport.abort();
      });
      listener.pause();
      const client = new TCPClient();
      const connects = Array.from({ length: 3 }, () =>
        outcome(
          clock,
          client.connect("127.0.0.1", 7).then((stream) => stream.abort()),
        ),
      );
      network.loop.callLater(2000, () => listener.resume());
      expect((await Promise.all(connects)).map(([, at]) => at)).toEqual([0, 0, 3000]);
      await clockTo(network.loop, 4000);
      expect(seen).toEqual([2000, 2000, 3000]);
      await listener.close();
    });
  });

  it("to a server that throws costs one connection, also where the logger throws too", async () => {
    const fail = (): never => {
      throw new Error("provoked");
    };
    const logger = { ...nullLogger, error: fail };
    await run(
      async ({ network }) => {
        const place = { address: "127.0.0.1", port: 7, family: 4, engine: undefined } as const;
        let calls = 0;
        const listener = await network.listen({ ...place, backlog: 2 }, (transport) => {
          if (++calls === 1) fail();
          transport.abort();
        });
        listener.pause();
        for (let i = 0; i < 2; i++) await network.connect(place);
        await clockTo(network.loop, 10);
        listener.resume();
        await clockTo(network.loop, 20);
        expect(calls).toBe(2);
        for (const connection of network.connections) connection.reset();
        await listener.close();
      },
      { logger },
    );
  });

  it.each([0, 5, 15, 25])(
    "can be aborted after %d ms, whatever it is doing, and leaves no place taken",
    async (afterMs) => {
      await run(
        async ({ network, clock }) => {
          let accepted = 0;
          const place = { address: "127.0.0.1", port: 7, family: 4, engine: undefined } as const;
          const listener = await network.listen({ ...place, backlog: 1 }, (transport) => {
            accepted++;
            transport.abort();
          });
          const abort = new AbortController();
          network.loop.callLater(afterMs, () => abort.abort(new Error("enough")));
          const [what, at] = await outcome(
            clock,
            network.connect({ ...place, signal: abort.signal }).then((transport) => transport.abort()),
          );
          if (afterMs < 20) expect([what, at]).toEqual([new Error("enough"), afterMs]);
          else expect([what, at]).toEqual(["fine", 20]);
          const before = accepted;
          (await network.connect(place)).abort();
          await clockTo(network.loop, 100);
          expect([before, accepted - before]).toEqual([0, afterMs < 20 ? 1 : 2]);
          await listener.close();
        },
        { latencyMs: 10 },
      );
    },
  );

  it("to a listener that closes first ends in a reset, and nothing is left of the connection", async () => {
    await run(async ({ network, loop, clock }) => {
      const place = { address: "127.0.0.1", port: 7, family: 4, engine: undefined } as const;
      for (const waiting of [true, false]) {
        network.link(network.localhost, network.localhost, { latencyMs: waiting ? 0 : 10 });
        const listener = await network.listen({ ...place, backlog: 9 }, () => undefined);
        listener.pause();
        const stream = await new TCPClient().connect("127.0.0.1", 7);
        if (waiting) await clockTo(loop, clock.now() + 5);
        expect(network.connections).toHaveLength(1);
        await listener.close();
        expect((await outcome(clock, stream.readBytes(1)))[0]).toBe("ECONNRESET");
        await stream.whenClosed;
        expect(network.connections).toEqual([]);
      }
    });
  });

  it("races the families of a host whose first address is silent", async () => {
    await run(async ({ network, clock }) => {
      network.host("dead", "2001:db8::1");
      network.partition(network.host("dead"));
      const alive = network.host("alive", "192.0.2.1");
      network.names.set("both.example", "2001:db8::1", "192.0.2.1");
      await using _server = await echoServer(alive.loop, 7);
      const stream = await connect(network.host("client"), "both.example", 7);
      expect([stream.info.remoteAddress, clock.now()]).toEqual(["192.0.2.1", 300]);
      await stream.close();
    });
  });
});

describe("names", () => {
  it("are those of hosts and those that were set; others are not found", async () => {
    await run(async ({ network, clock }) => {
      const bob = network.host("Bob.example", "192.0.2.1", "2001:db8::1");
      expect(await bob.resolve("bob.EXAMPLE.", 0)).toEqual([
        { address: "192.0.2.1", family: 4 },
        { address: "2001:db8::1", family: 6 },
      ]);
      expect(await network.resolve("bob.example", 6)).toEqual([{ address: "2001:db8::1", family: 6 }]);
      network.names.set("bob.example");
      await expect(network.resolve("bob.example", 0)).rejects.toMatchObject({
        code: "ENOTFOUND",
        hostname: "bob.example",
        syscall: "getaddrinfo",
      });
      expect(() => network.names.set("x", "not an address")).toThrow(RangeError);
      expect((await outcome(clock, new TCPClient().connect("nowhere", 7)))[0]).toBe("ENOTFOUND");
    });
  });

  it("fail as they are told, as often as they are told, and are slow when told so", async () => {
    await run(async ({ network, clock }) => {
      network.names.fail("localhost", { code: "EAI_AGAIN", times: 2, afterMs: 100 });
      for (const at of [100, 200]) {
        expect(await outcome(clock, network.resolve("localhost", 4))).toEqual(["EAI_AGAIN", at]);
      }
      expect(await outcome(clock, network.resolve("localhost", 4))).toEqual(["fine", 200]);
      network.names.fail("*", { afterMs: 5000 });
      expect(await outcome(clock, network.resolve("localhost", 4))).toEqual(["fine", 5200]);
      network.names.heal("*");
      expect(await outcome(clock, network.resolve("localhost", 4))).toEqual(["fine", 5200]);
      expect(() => network.names.fail("x", { afterMs: -1 })).toThrow(RangeError);
      expect(() => network.names.fail("x", { times: 0 })).toThrow(RangeError);
    });
  });
});

it("a server's end runs in the server's context, a client's in the client's", async () => {
  const store = new AsyncLocalStorage<string>();
  await run(async ({ network }) => {
    const seen: unknown[] = [];
    const server = new TCPServer(async (stream) => {
      await stream.readBytes(1);
      seen.push(store.getStore());
      stream.write("y").catch(() => undefined);
      await stream.close();
    });
    await store.run("server", () => server.listen(7));
    await store.run("client", async () => {
      const stream = await new TCPClient().connect("localhost", 7);
      await stream.write("x");
      await stream.readBytes(1);
      seen.push(store.getStore());
      await stream.close();
    });
    await server.stop();
    expect(seen).toEqual(["server", "client"]);
    await clockTo(network.loop, 10);
  });
});

function clockTo(loop: IOLoop, when: number): Promise<void> {
  return new Promise((resolve) => loop.callAt(when, resolve));
}
