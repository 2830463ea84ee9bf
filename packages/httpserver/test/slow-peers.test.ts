// S-42: a peer that is slow is waited for within limits, and no further, whichever way the bytes go. In virtual time.

import { HTTPHeaders } from "@tw/httputil";
import { describe, expect, it } from "vitest";
import { answer, codes, OK } from "./harness.js";
import { delegate, inVirtualTime, type World } from "./world.js";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const post = (length: number) => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;
const MIB = 1024 * 1024;

/** Sends `bytes` of a body every `everyMs` until the server has had enough, or `total` are sent. */
async function drip({ client, pass }: World, bytes: number, everyMs: number, total: number): Promise<void> {
  for (let sent = 0; sent < total && client.text === "" && !client.isClosed; sent += bytes) {
    await client.send("b".repeat(bytes));
    await pass(everyMs);
  }
}

describe("S-42 writeTimeoutMs", () => {
  /** Streams without end, and notes how that ended. */
  function endless() {
    const seen = { pieces: 0, settled: false, told: undefined as unknown };
    const target = delegate((connection) => ({
      finish: async () => {
        connection.writeHeaders(OK, new HTTPHeaders());
        while (seen.told === undefined) {
          seen.pieces++;
          await connection.write(new Uint8Array(100_000));
        }
        seen.settled = true;
      },
      onConnectionClose: (error) => {
        seen.told = error ?? "gone";
      },
    }));
    return { seen, target };
  }

  it("aborts a peer that takes nothing, tells the delegate why, and settles its write()", async () => {
    const { seen, target } = endless();
    const test = async ({ client, host, pass }: World) => {
      client.stream.pause();
      await client.send(GET);
      await pass(4000);
      expect(seen.told).toBeUndefined();
      await pass(2500);
      expect(seen.told).toMatchObject({ code: "ERR_TW_WRITE_TIMEOUT" });
      expect(seen.settled).toBe(true);
      expect(host.now()).toBeLessThan(10_000);
      client.stream.resume();
      expect(await client.untilClosed()).not.toContain("\r\n0\r\n\r\n");
    };
    await inVirtualTime(target, test, { writeTimeoutMs: 4000 });
  });

  it("is 60 s where nobody says otherwise", async () => {
    const { seen, target } = endless();
    await inVirtualTime(target, async ({ client, pass }) => {
      client.stream.pause();
      await client.send(GET);
      await pass(60_000);
      expect(seen.told).toBeUndefined();
      await pass(30_000);
      expect(seen.told).toMatchObject({ code: "ERR_TW_WRITE_TIMEOUT" });
    });
  });

  it("spares a peer that takes something now and then, however long that takes", async () => {
    const { seen, target } = endless();
    const test = async ({ client, pass }: World) => {
      await client.send(GET);
      for (let i = 0; i < 30; i++) {
        client.stream.pause();
        await pass(3500);
        client.stream.resume();
        await pass(1);
      }
      expect(seen.told).toBeUndefined();
      expect(seen.pieces).toBeGreaterThan(10);
    };
    await inVirtualTime(target, test, { writeTimeoutMs: 4000, pair: { latencyMs: 100 } });
  });

  it("0 waits for ever", async () => {
    const { seen, target } = endless();
    const test = async ({ client, pass }: World) => {
      client.stream.pause();
      await client.send(GET);
      await pass(3_600_000);
      expect(seen.told).toBeUndefined();
    };
    await inVirtualTime(target, test, { writeTimeoutMs: 0 });
  });

  it("holds as well for a complete answer, behind which requests wait", async () => {
    let served = 0;
    const test = async ({ client, host }: World) => {
      client.stream.pause();
      await client.send(GET.repeat(3));
      await client.untilClosed();
      expect(served).toBe(1);
      expect(host.now()).toBeLessThan(10_000);
    };
    await inVirtualTime(
      (request) => {
        served++;
        answer(request.connection, "x".repeat(MIB));
      },
      test,
      { writeTimeoutMs: 4000 },
    );
  });

  it("holds while the delegate holds back the body and answers", async () => {
    let told: unknown;
    const echo = delegate((connection) => ({
      headersReceived: () => void connection.writeHeaders(OK, new HTTPHeaders()),
      dataReceived: () => Promise.resolve(connection.write(new Uint8Array(MIB))),
      onConnectionClose: (error) => {
        told = error;
      },
    }));
    const test = async ({ client, host }: World) => {
      client.stream.pause();
      await client.send(`${post(10)}12345`);
      await client.untilClosed();
      expect(told).toMatchObject({ code: "ERR_TW_WRITE_TIMEOUT" });
      expect(host.now()).toBeLessThan(10_000);
    };
    await inVirtualTime(echo, test, { writeTimeoutMs: 4000, bodyTimeoutMs: 60_000 });
  });

  it("does not run while there is nothing to take: a long poll may last", async () => {
    let told = false;
    const poll = delegate((connection) => ({
      finish: () => void connection.writeHeaders(OK, new HTTPHeaders(), "first"),
      onConnectionClose: () => {
        told = true;
      },
    }));
    const test = async ({ client, pass }: World) => {
      await client.send(GET);
      await pass(3_600_000);
      expect(told).toBe(false);
      expect(client.isClosed).toBe(false);
    };
    await inVirtualTime(poll, test, { writeTimeoutMs: 4000 });
  });

  it("minRate ends a peer that takes its answer in drops, and 0 does not", async () => {
    for (const minRate of [1000, 0]) {
      const { seen, target } = endless();
      const test = async ({ client, pass }: World) => {
        await client.send(GET);
        // One piece of what waits, some hundred bytes, every second.
        for (let i = 0; i < 60 && !client.isClosed; i++) {
          client.stream.pause();
          await pass(1000);
          client.stream.resume();
          await pass(1);
        }
        if (minRate === 0) expect(seen.told).toBeUndefined();
        else expect(seen.told).toMatchObject({ code: "ERR_TW_WRITE_TIMEOUT" });
      };
      await inVirtualTime(target, test, {
        writeTimeoutMs: 4000,
        minRate,
        pair: { capacity: 500, latencyMs: 100 },
      });
    }
  });
});

describe("S-42 minRate of bodies", () => {
  it("answers 408 to a body that comes byte by byte, and lets it come where it is 0", async () => {
    for (const minRate of [240, 0]) {
      const test = async (world: World) => {
        const { client, host } = world;
        await client.send(post(60));
        await drip(world, 1, 3000, 60);
        expect(codes(client.text)).toEqual([minRate === 0 ? 200 : 408]);
        if (minRate > 0) expect(host.now()).toBeLessThan(12_000);
      };
      await inVirtualTime((request) => answer(request.connection, "done"), test, {
        bodyTimeoutMs: 4000,
        minRate,
      });
    }
  });

  it("spares a body that keeps to it, and refuses one just below", async () => {
    for (const [perSecond, status] of [
      [250, 200],
      [150, 408],
    ] as const) {
      const test = async (world: World) => {
        const total = perSecond * 60;
        await world.client.send(post(total));
        await drip(world, perSecond / 2, 500, total);
        await world.client.until((text) => text !== "");
        expect(codes(world.client.text)).toEqual([status]);
      };
      await inVirtualTime((request) => answer(request.connection, "done"), test, {
        bodyTimeoutMs: 4000,
        minRate: 200,
      });
    }
  });

  it("does not count the time in which the delegate holds the body back", async () => {
    let pass: World["pass"] = async () => {};
    const slow = delegate((connection) => ({
      dataReceived: () => pass(30_000),
      finish: () => answer(connection, "done"),
    }));
    const test = async (world: World) => {
      pass = world.pass;
      await world.client.send(post(20));
      for (let i = 0; i < 20; i++) {
        await world.client.send("b");
        await world.pass(30_000);
      }
      expect(codes(await world.client.until((text) => text !== ""))).toEqual([200]);
    };
    await inVirtualTime(slow, test, { bodyTimeoutMs: 4000 });
  });

  it("counts what came at once before it slowed down", async () => {
    const test = async (world: World) => {
      await world.client.send(`${post(10_020)}${"b".repeat(10_000)}`);
      await drip(world, 1, 1000, 20);
      expect(codes(await world.client.until((text) => text !== ""))).toEqual([200]);
    };
    await inVirtualTime((request) => answer(request.connection, "done"), test, {
      bodyTimeoutMs: 4000,
      minRate: 240,
    });
  });
});
