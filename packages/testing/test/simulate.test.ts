import { hasSubscribers } from "node:diagnostics_channel";
import { WaitIterator } from "@tw/gen";
import { AsyncHTTPClient } from "@tw/httpclient";
import { HTTPServer } from "@tw/httpserver";
import { HTTPHeaders } from "@tw/httputil";
import { IOLoop, PeriodicCallback } from "@tw/ioloop";
import { Condition, Event, Lock, Semaphore } from "@tw/locks";
import { nullLogger } from "@tw/log";
import { Queue } from "@tw/queues";
import { networkOf, TCPClient, TCPServer } from "@tw/tcp";
import { describe, expect, it } from "vitest";
import { LeakError, type SimulateOptions, simulate, VirtualIdleError } from "../src/index.js";
import { ask, connect, echoServer } from "./support.js";

/** An application as it would run on real sockets, and clients of it: nothing here knows of a network. */
async function application(requests: number): Promise<string[]> {
  const server = new HTTPServer((request) => {
    const body = `${request.method} ${request.uri} ${"x".repeat(3000)}`;
    const headers = new HTTPHeaders({ "Content-Length": String(body.length) });
    request.connection.writeHeaders({ version: "HTTP/1.1", code: 200, reason: "OK" }, headers, body);
    request.connection.finish();
  });
  await server.listen(8888);
  const client = new AsyncHTTPClient();
  const answers = await Promise.all(
    Array.from({ length: requests }, async (_, i) => {
      try {
        return (await client.fetch(`http://localhost:8888/${i}`)).text().slice(0, 9);
      } catch (error) {
        return (error as { code: string }).code;
      }
    }),
  );
  await client.close();
  await server.close();
  return answers;
}

/** What happens to it, in every detail. */
async function traceOf(options: SimulateOptions): Promise<string> {
  return await simulate(
    async ({ network, clock }) => {
      const answers = await application(8);
      return [...network.trace, ...answers, clock.now()].join("\n");
    },
    { logger: nullLogger, trace: true, ...options },
  );
}

describe("simulate()", () => {
  it("refuses what are no options, and leaves the loop of the thread as it is", async () => {
    const before = IOLoop.current();
    await expect(simulate(() => undefined, 5 as never)).rejects.toThrow(/got 5: give { seed: 5 }$/);
    await expect(simulate(() => undefined, { leaks: 5 as never })).rejects.toThrow(/^leaks must be .* 5/);
    await expect(simulate(() => undefined, { leaks: { kinds: ["timers" as never] } })).rejects.toThrow(
      RangeError,
    );
    expect(IOLoop.current()).toBe(before);
  });

  it("fails on a periodic callback whose call never ends, and names it where nothing else goes on", async () => {
    const begin = () => new PeriodicCallback(() => new Promise(() => undefined), 10).start();
    const left = simulate(async ({ clock }) => {
      begin();
      await clock.advance(50);
    });
    await expect(left).rejects.toThrow(
      /periodic callback, every 10 ms, made by PeriodicCallback.start\(\) at test/,
    );
    await expect(left).rejects.toThrow(LeakError);
    const idle = simulate(() => {
      begin();
      return new Promise(() => undefined);
    });
    await expect(idle).rejects.toThrow(VirtualIdleError);
    await expect(idle).rejects.toThrow(
      /periodic callback, every 10 ms, made by PeriodicCallback.start\(\) at test/,
    );
  });

  it("runs a server and its clients unchanged", async () => {
    const answers = await simulate(() => application(3), { latencyMs: [1, 40], pieces: "random", seed: 5 });
    expect(answers).toEqual(["GET /0 xx", "GET /1 xx", "GET /2 xx"]);
  });

  const ROUGH: SimulateOptions = {
    latencyMs: [1, 40],
    pieces: "random",
    writes: "random",
    resetChance: 0.02,
  };

  it("does the same for the same seed, byte for byte, and something else for another", async () => {
    for (const seed of [1, 2, 3]) {
      const first = await traceOf({ ...ROUGH, seed });
      expect(await traceOf({ ...ROUGH, seed })).toBe(first);
      expect(await traceOf({ ...ROUGH, seed: seed + 10 })).not.toBe(first);
      expect(first.split("\n").length).toBeGreaterThan(100);
    }
  });

  it("leaves every request of a rough network answered or failed with a code, whatever the seed", async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 25; seed++) {
      for (const answer of await simulate(() => application(6), { ...ROUGH, seed, logger: nullLogger })) {
        seen.add(answer.slice(0, 5));
        expect(answer).toMatch(/^(GET \/\d xx|ERR_TW_\w+)$/);
      }
    }
    expect(seen.size).toBeGreaterThan(1);
  });

  it("makes its loop the current one meanwhile, and puts the former one back, also after a failure", async () => {
    const before = IOLoop.current();
    await simulate(({ loop, network }) => {
      expect(IOLoop.current()).toBe(loop);
      expect(networkOf(loop)).toBe(network);
    });
    expect(IOLoop.current()).toBe(before);
    const failing = simulate(() => {
      throw new Error("its own");
    });
    await expect(failing).rejects.toThrow("its own");
    expect(hasSubscribers("tw:ioloop:timerAdded")).toBe(false);
    expect(IOLoop.current()).toBe(before);
    await expect(simulate(undefined as never)).rejects.toThrow(TypeError);
    await expect(simulate(() => 1, { latencyMs: -1 })).rejects.toThrow(RangeError);
    expect(IOLoop.current()).toBe(before);
  });

  it("takes the times that the clock begins with", async () => {
    const wall = Date.UTC(2030, 1, 2);
    const times = await simulate(({ loop }) => [loop.time(), loop.wallTime()], { now: 500, wall });
    expect(times).toEqual([500, wall]);
  });

  it("fails when a stream survives, and says who opened it", async () => {
    const leak = async (): Promise<void> => {
      await new TCPServer(() => undefined).listen(7);
      await new TCPClient().connect("localhost", 7);
    };
    const leaking = simulate(leak);
    await expect(leaking).rejects.toThrow(LeakError);
    const ends = String.raw`\(memory, 127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+\) that is open, made by`;
    await expect(leaking).rejects.toThrow(new RegExp(`a stream ${ends} TCPClient.*at test/simulate`));
    await expect(leaking).rejects.toThrow(new RegExp(`a stream ${ends} .*TCPServer`));
    await simulate(leak, { leaks: false });
  });

  it("gives what is on its way a second of its own time", async () => {
    await simulate(async ({ loop }) => void loop.callLater(990, () => undefined));
    await expect(simulate(async ({ loop }) => void loop.callLater(1010, () => undefined))).rejects.toThrow(
      LeakError,
    );
  });

  it("names the stream that waits when nothing is left to wait for", async () => {
    const hanging = simulate(async ({ network }) => {
      const silent = new TCPServer(() => undefined, { loop: network.host("silent").loop });
      await silent.listen(7);
      const stream = await connect(network.localhost, "silent", 7);
      await stream.readBytes(1);
    });
    await expect(hanging).rejects.toThrow(VirtualIdleError);
    await expect(hanging).rejects.toThrow(
      /a stream \(memory, 10\.0\.0\.1:\d+ to 10\.0\.0\.2:7\) that is (reading|open), made by/,
    );
  });

  it("names those who wait for locks, queues and the like, and not those who no longer do", async () => {
    const hanging = simulate(async () => {
      const [lock, queue, full] = [new Lock(), new Queue<number>(), new Queue<number>(1)];
      const [permits, happened, changed] = [new Semaphore(0), new Event(), new Condition()];
      await lock.acquire();
      await full.put(1);
      const given = new AbortController();
      const over = [
        queue.get(),
        queue.get({ timeoutMs: 10 }).catch(() => undefined),
        queue.get({ signal: given.signal }).catch(() => undefined),
      ];
      queue.putNowait(1);
      given.abort();
      await Promise.all(over);
      await Promise.all([
        lock.acquire(),
        lock.with(() => undefined),
        ...[1, 2].map(() => queue.get()),
        (async () => {
          for await (const _ of new Queue()) await lock.acquire();
        })(),
        full.put(2),
        full.join(),
        permits.acquire(),
        happened.wait(),
        changed.wait(),
        new WaitIterator(new Promise(() => undefined)).next(),
      ]);
    });
    const error = await hanging.catch((reason: VirtualIdleError) => reason);
    expect(error).toBeInstanceOf(VirtualIdleError);
    const { message, pending } = error as VirtualIdleError;
    const places = pending.map((line) => line.replace(/:\d+:\d+$/, ""));
    expect(places).toEqual(
      [
        "1 waiter in Lock.acquire()",
        "1 waiter in Lock.with()",
        "2 waiters in Queue.get()",
        "1 waiter in Queue.get()",
        "1 waiter in Queue.put()",
        "1 waiter in Queue.join()",
        "1 waiter in Semaphore.acquire()",
        "1 waiter in Event.wait()",
        "1 waiter in Condition.wait()",
        "1 waiter in WaitIterator.next()",
      ].map((what) => `${what}, made at test/simulate.test.ts`),
    );
    expect(message).toContain(pending[0]);
    expect(hasSubscribers("tw:gen:waiting")).toBe(false);
  });

  it("does not take somebody who still waits for a leak", async () => {
    await simulate(() => void new Queue().get());
  });

  it("takes hours of time-outs in no time", async () => {
    await simulate(
      async ({ clock }) => {
        await using _server = await echoServer(IOLoop.current(), 7);
        const stream = await new TCPClient().connect("localhost", 7, { timeoutMs: 0 });
        for (let i = 0; i < 100; i++) expect(await ask(stream, "tick")).toBe("tick");
        expect(clock.now()).toBeGreaterThan(12 * 3_600_000);
        await stream.close();
      },
      { latencyMs: 250_000, leaks: { graceMs: 1_000_000 } },
    );
  });
});
