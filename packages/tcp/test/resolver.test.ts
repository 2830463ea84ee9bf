import { virtualLoop } from "@tw/ioloop/testing";
import { nullLogger } from "@tw/log";
import { describe, expect, it } from "vitest";
import {
  CachingResolver,
  DefaultResolver,
  type Endpoint,
  isValidIp,
  networkOf,
  OverrideResolver,
  type Resolver,
  TCPClient,
  type TCPConnectOptions,
} from "../src/index.js";

const HERE: Endpoint = { address: "127.0.0.1", port: 80, family: 4 };

/** Remembers what it was asked. */
class Recorder implements Resolver {
  readonly asked: string[] = [];
  answer: (host: string, port: number) => Promise<readonly Endpoint[]> = async (_host, port) => [
    { ...HERE, port },
  ];

  resolve(host: string, port: number, family: 0 | 4 | 6): Promise<readonly Endpoint[]> {
    this.asked.push(`${host} ${port} ${family}`);
    return this.answer(host, port);
  }
}

describe("resolvers over another one", () => {
  it.each([undefined, null, {}, 5, { resolve: "no" }])("refuse %j with a TypeError", (none) => {
    expect(() => new OverrideResolver(none as never, {})).toThrow(TypeError);
    expect(() => new CachingResolver(none as never)).toThrow(TypeError);
  });
});

describe("isValidIp()", () => {
  it.each(["127.0.0.1", "4.4.4.4", "::1", "2620:0:1cfe:face:b00c::3", "fe80::1%lo"])(
    "says yes to %j",
    (ip) => {
      expect(isValidIp(ip)).toBe(true);
    },
  );

  it.each([
    "",
    " ",
    "1",
    "1.2",
    "127.1",
    "4.4.4.4.4",
    "256.1.1.1",
    "localhost",
    "www.example.com",
    "\n",
    "\0",
  ])("says no to %j", (ip) => {
    expect(isValidIp(ip)).toBe(false);
  });

  it("says no to what is not a string, or has anything around it", () => {
    expect(isValidIp(1 as never)).toBe(false);
    expect(isValidIp(undefined as never)).toBe(false);
    for (const ip of [" ::1", "::1 ", "::1\0", "[::1]", "4.4.4.4:80", "4.4.4.4\n"])
      expect(isValidIp(ip)).toBe(false);
    expect(isValidIp("1".repeat(64))).toBe(false);
  });
});

describe("DefaultResolver", () => {
  it("answers a numeric host with itself, a name with its addresses, each once", async () => {
    const { loop } = virtualLoop({ logger: nullLogger });
    const resolver = new DefaultResolver(loop);
    expect(await resolver.resolve("::1", 80, 0)).toEqual([{ address: "::1", port: 80, family: 6 }]);
    expect(await resolver.resolve("::1", 80, 4)).toEqual([]);
    const found = await resolver.resolve("localhost", 80, 4);
    expect(found).toEqual([HERE]);
  });

  it("rejects with ENOTFOUND for a name that is none", async () => {
    const { loop } = virtualLoop({ logger: nullLogger });
    await expect(networkOf(loop).resolve("no such name", 0)).rejects.toMatchObject({ code: "ENOTFOUND" });
  });
});

describe("what a resolver answers TCPClient", () => {
  const { loop } = virtualLoop({ logger: nullLogger });

  function connectBy(found: unknown, options: TCPConnectOptions = {}) {
    const resolver = { resolve: async () => found } as Resolver;
    return new TCPClient({ loop, resolver }).connect("db.test", 80, options);
  }

  it.each([
    [undefined, 'a list of endpoints, got undefined for "db.test"'],
    [{ ...HERE }, "a list of endpoints, got object"],
    [[undefined], 'answered undefined for "db.test": no address of family undefined'],
    [[{ ...HERE, address: "localhost" }], 'answered "localhost" for "db.test": no address of IPv4'],
    [[HERE, { ...HERE, address: "::1" }], 'answered "::1" for "db.test": no address of IPv4'],
    [[{ ...HERE, family: 6 }], 'answered "127.0.0.1" for "db.test": no address of IPv6'],
    [[{ ...HERE, address: 4 }], "answered 4"],
    [[{ ...HERE, port: "80" }], 'The port of "db.test" from the resolver must be a number'],
    [[{ address: "", port: 0, family: "unix" }], "Not the path of a Unix socket"],
  ])("is no list of endpoints: %j", async (found, message) => {
    const failed = connectBy(found);
    await expect(failed).rejects.toBeInstanceOf(TypeError);
    await expect(failed).rejects.toThrow(message);
  });

  it.each([0, 65_536])("has no port %i", async (port) => {
    await expect(connectBy([{ ...HERE, port }])).rejects.toBeInstanceOf(RangeError);
  });

  it("is used as far as its family was asked for", async () => {
    await expect(connectBy([HERE], { family: 6 })).rejects.toMatchObject({ code: "ERR_TW_NO_ADDRESS" });
    await expect(connectBy([HERE], { sourceIp: "::1" })).rejects.toMatchObject({ code: "ERR_TW_NO_ADDRESS" });
  });
});

describe("OverrideResolver", () => {
  const mapped = (mapping: ConstructorParameters<typeof OverrideResolver>[1]) => {
    const recorder = new Recorder();
    return { recorder, resolver: new OverrideResolver(recorder, mapping) };
  };

  it("prefers host:port:family to host:port to host, and leaves the rest alone", async () => {
    const { recorder, resolver } = mapped({
      "a.test": "1.1.1.1",
      "a.test:80": ["2.2.2.2", 81],
      "a.test:80:6": ["::2", 82],
      "[::1]:80": ["::3", 83],
    });
    await resolver.resolve("a.test", 443, 0);
    await resolver.resolve("a.test", 80, 0);
    await resolver.resolve("a.test", 80, 6);
    await resolver.resolve("::1", 80, 0);
    await resolver.resolve("b.test", 80, 0);
    expect(recorder.asked).toEqual(["1.1.1.1 443 0", "2.2.2.2 81 0", "::2 82 6", "::3 83 0", "b.test 80 0"]);
  });

  it("leads to a Unix socket", async () => {
    const { recorder, resolver } = mapped(new Map([["db.test", "unix:/run/db.sock"]]));
    expect(await resolver.resolve("db.test", 5432, 0)).toEqual([
      { address: "/run/db.sock", port: 0, family: "unix" },
    ]);
    expect(recorder.asked).toEqual([]);
  });

  it("knows no host by the name of an Object's property", async () => {
    const { recorder, resolver } = mapped({});
    await resolver.resolve("constructor", 80, 0);
    expect(recorder.asked).toEqual(["constructor 80 0"]);
  });

  it.each([[""], [80], [["host"]], [["host", "80"]], [null]])("refuses to map to %j", (value) => {
    expect(() => mapped({ host: value as never })).toThrow(TypeError);
  });

  it.each([
    [["", 80], 'The host in the override of "host" must not be empty'],
    [["a\0b", 80], "must not contain NUL"],
    ["a\0b", "must not contain NUL"],
    ["unix:", "Not the path of a Unix socket"],
    ["unix:/run/a\0b", "Not the path of a Unix socket"],
  ])("refuses to map to %j, which connect() and connectUnix() would not take", (value, message) => {
    const make = () => mapped({ host: value as never });
    expect(make).toThrow(TypeError);
    expect(make).toThrow(message);
  });

  it.each([
    [0, 'The port in the override of "host" must be an integer from 1 to 65535, got 0'],
    [-1, "got -1"],
    [80.5, "got 80.5"],
    [Number.NaN, "got NaN"],
    [65_536, "got 65536"],
  ])("refuses to map to port %d", (port, message) => {
    const make = () => mapped({ host: ["a.test", port] });
    expect(make).toThrow(RangeError);
    expect(make).toThrow(message);
  });

  it("refuses a path that no address of a socket has room for", () => {
    expect(() => mapped({ host: `unix:/${"x".repeat(200)}` })).toThrow(RangeError);
  });

  it.each([
    ["", TypeError],
    [":80", TypeError],
    ["a\0b:80", TypeError],
    ["a.test:0", RangeError],
    ["a.test:65536", RangeError],
    ["[::1]:65536", RangeError],
    ["a.test:80:5", RangeError],
  ])("refuses the key %j, which nobody can ask for", (key, error) => {
    expect(() => mapped({ [key]: "127.0.0.1" })).toThrow(error);
    expect(() => mapped(new Map([[key, "127.0.0.1"]]))).toThrow(error);
  });

  it.each(["::1", "1:2:3:4:5:6:7:8", "fe80::80:70000", "service:billing", "a.test:65535:0", "[::1]:1:6"])(
    "takes the key %j",
    (key) => {
      expect(() => mapped({ [key]: "127.0.0.1" })).not.toThrow();
    },
  );

  it.each([[undefined], [null], [5], ["a.test"], [["a.test"]]])("refuses %j for a mapping", (none) => {
    expect(() => mapped(none as never)).toThrow(TypeError);
  });
});

describe("CachingResolver", () => {
  function caching(options: { ttlMs?: number; maxEntries?: number } = {}) {
    const { loop, host } = virtualLoop({ logger: nullLogger });
    const recorder = new Recorder();
    return { host, recorder, resolver: new CachingResolver(recorder, { loop, ...options }) };
  }

  it("asks once in ttlMs, and again when it is over", async () => {
    const { host, recorder, resolver } = caching({ ttlMs: 1000 });
    await resolver.resolve("a", 80, 0);
    await host.advance(999);
    expect(await resolver.resolve("a", 80, 0)).toEqual([HERE]);
    expect(recorder.asked).toHaveLength(1);
    await host.advance(1);
    await resolver.resolve("a", 80, 0);
    expect(recorder.asked).toHaveLength(2);
  });

  it("tells host, port and family apart", async () => {
    const { recorder, resolver } = caching();
    await resolver.resolve("a", 80, 0);
    await resolver.resolve("a", 81, 0);
    await resolver.resolve("a", 80, 4);
    await resolver.resolve("b", 80, 0);
    expect(recorder.asked).toHaveLength(4);
  });

  it("shares one question between all who ask while it is open", async () => {
    const { recorder, resolver } = caching();
    let answer = (_: readonly Endpoint[]): void => {};
    recorder.answer = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const asking = [resolver.resolve("a", 80, 0), resolver.resolve("a", 80, 0)];
    answer([HERE]);
    expect(await Promise.all(asking)).toEqual([[HERE], [HERE]]);
    expect(recorder.asked).toHaveLength(1);
  });

  it("keeps neither failures nor empty answers", async () => {
    const { recorder, resolver } = caching();
    recorder.answer = async () => {
      throw new Error("down");
    };
    await expect(resolver.resolve("a", 80, 0)).rejects.toThrow("down");
    recorder.answer = async () => [];
    expect(await resolver.resolve("a", 80, 0)).toEqual([]);
    recorder.answer = (async () => undefined) as never;
    expect(await resolver.resolve("a", 80, 0)).toBe(undefined);
    expect(resolver.size).toBe(0);
    recorder.answer = async () => [HERE];
    expect(await resolver.resolve("a", 80, 0)).toEqual([HERE]);
  });

  it("keeps maxEntries answers and forgets the one used longest ago", async () => {
    const { recorder, resolver } = caching({ maxEntries: 2 });
    for (const name of ["a", "b", "a", "c"]) await resolver.resolve(name, 80, 0);
    expect(resolver.size).toBe(2);
    await resolver.resolve("a", 80, 0);
    expect(recorder.asked).toHaveLength(3);
    await resolver.resolve("b", 80, 0);
    expect(recorder.asked).toHaveLength(4);
  });

  it("forgets all on clear(), and an answer that comes later is not kept", async () => {
    const { recorder, resolver } = caching();
    const asking = resolver.resolve("a", 80, 0);
    resolver.clear();
    await asking;
    expect(resolver.size).toBe(0);
    await resolver.resolve("a", 80, 0);
    expect(recorder.asked).toHaveLength(2);
  });

  it("refuses limits that are none", () => {
    const recorder = new Recorder();
    expect(() => new CachingResolver(recorder, { ttlMs: -1 })).toThrow(RangeError);
    expect(() => new CachingResolver(recorder, { maxEntries: 0 })).toThrow(RangeError);
    expect(() => new CachingResolver(recorder, { maxEntries: 1.5 })).toThrow(RangeError);
  });
});
