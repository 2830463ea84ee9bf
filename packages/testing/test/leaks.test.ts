import { AsyncResource } from "node:async_hooks";
import { spawn } from "node:child_process";
import { hasSubscribers } from "node:diagnostics_channel";
import { EventEmitter, once } from "node:events";
import type { afterEach as nodeAfterEach, beforeEach as nodeBeforeEach } from "node:test";
import { fileURLToPath } from "node:url";
import { IOLoop, PeriodicCallback, READ } from "@tw/ioloop";
import { IOStream } from "@tw/iostream";
import { memoryPair } from "@tw/iostream/transports";
import { loadPoller } from "@tw/poller";
import { TCPClient, TCPServer } from "@tw/tcp";
import { nativeAvailable, onEveryEngine } from "@tw/tooling-testing";
import { Deferred } from "@tw/util";
import { afterEach, describe, expect, expectTypeOf, it } from "vitest";
import {
  guardEachTest,
  LeakError,
  type LeakGuard,
  type LeakGuardOptions,
  leakGuard,
  type Resource,
  type TestHooks,
  virtualLoop,
  watchLeaks,
} from "../src/index.js";

/** The place above the call of it: `leaks.test.ts:12`. */
function lineAbove(): string {
  const [, , caller = ""] = String(new Error().stack).split("\n");
  return `leaks.test.ts:${Number(/leaks\.test\.ts:(\d+)/.exec(caller)?.[1]) - 1}`;
}

const CHANNELS = [
  "handlerAdded",
  "handlerRemoved",
  "timerAdded",
  "periodicStarted",
  "periodicStopped",
  "virtualIdle",
].map((name) => `tw:ioloop:${name}`);
const listening = (): boolean =>
  [...CHANNELS, "tw:iostream:opened", "tw:iostream:closed", "tw:tcp:listening"].some(hasSubscribers);

const briefly = { graceMs: 0 };

const guards: LeakGuard[] = [];
afterEach(() => {
  for (const guard of guards.splice(0)) guard.stop();
});

function watch(options?: LeakGuardOptions): LeakGuard {
  const guard = watchLeaks(options);
  guards.push(guard);
  return guard;
}

describe("watchLeaks()", () => {
  it("names each timer that is pending, with the line that set it", async () => {
    const guard = watch(briefly);
    const loop = new IOLoop();
    const timer = loop.callLater(50_000, () => undefined);
    const line = lineAbove();
    loop.removeTimeout(loop.callLater(50_000, () => undefined));
    await new Promise<void>((resolve) => loop.callLater(1, resolve));
    const [leak, ...others] = guard.leaks();
    expect(others).toEqual([]);
    expect(leak).toMatchObject({ kind: "timer", object: timer });
    expect(leak?.what).toMatch(/^timer that fires in \d+(\.\d)? ms$/);
    expect(leak?.made).toMatch(/^IOLoop\.callLater\(\) at .*test\/leaks/);
    expect(leak?.made).toContain(line);
    expect(() => guard.check()).toThrow(LeakError);
    expect(() => guard.check()).toThrow(line);
    await expect(guard.close()).rejects.toMatchObject({ code: "ERR_TW_LEAK", leaks: [{ object: timer }] });
    loop.removeTimeout(timer);
  });

  it.skipIf(!nativeAvailable)("names each handler that was not removed", () => {
    const poller = loadPoller();
    if (poller === undefined) throw new Error("no poller");
    const [a, b] = [poller.socket(4), poller.socket(4)];
    const guard = watch();
    const loop = new IOLoop();
    loop.addHandler(a, () => undefined, READ);
    const line = lineAbove();
    loop.addHandler(b, () => undefined, READ);
    loop.removeHandler(b);
    expect(guard.leaks()).toMatchObject([
      { kind: "handler", what: `handler on descriptor ${a}`, made: expect.stringContaining(line) },
    ]);
    loop.removeHandler(a);
    guard.check();
    guard.stop();
    for (const fd of [a, b]) poller.closeFd(fd);
  });

  it("names each stream that is open, with both its ends", async () => {
    const { loop, host } = virtualLoop();
    const guard = watch(briefly);
    const ends = [
      { localAddress: "10.0.0.1", localPort: 1, remoteAddress: "10.0.0.2", remotePort: 2 },
      {},
    ] as const;
    const [a, b] = memoryPair(loop, { info: ends });
    const one = new IOStream(a, { loop });
    const line = lineAbove();
    const two = new IOStream(b, { loop });
    two.abort();
    expect(guard.leaks().map(({ what }) => what)).toEqual([
      "stream (memory, 10.0.0.1:1 to 10.0.0.2:2) that is open",
      "stream (memory) that is closing",
    ]);
    expect(guard.leaks()[0]?.made).toBe(`new IOStream() at test/${line}:17`);
    one.abort();
    await host.advance(1);
    await guard.close();
  });

  it("knows nothing of what was made before it, and hears nothing after its end", () => {
    const loop = new IOLoop();
    const before = loop.callLater(1000, () => undefined);
    const guard = watch();
    guard.check();
    guard.stop();
    const after = loop.callLater(1000, () => undefined);
    expect(guard.leaks()).toEqual([]);
    expect(listening()).toBe(false);
    for (const timer of [before, after]) loop.removeTimeout(timer);
  });

  it("counts the kinds asked for, and what is not ignored", () => {
    const { loop } = virtualLoop();
    const make = (options: LeakGuardOptions): readonly Resource[] => {
      const guard = watch(options);
      loop.callLater(1, () => undefined);
      guard.stop();
      return guard.leaks();
    };
    expect(make({ kinds: ["stream", "handler"] })).toEqual([]);
    expect(make({ kinds: ["timer"] })).toHaveLength(1);
    expect(make({ ignore: ({ kind }) => kind === "timer" })).toEqual([]);
    expect(() => make({ kinds: ["socket" as never] })).toThrow(RangeError);
    expect(() => make({ graceMs: -1 })).toThrow(RangeError);
    expect(() => make({ graceMs: Number.NaN })).toThrow(RangeError);
    expect(() => make({ graceMs: Number.POSITIVE_INFINITY })).toThrow(RangeError);
    for (const bad of [{ graceMs: "5" }, { graceMs: null }, { kinds: "timer" }, { ignore: 5 }])
      expect(() => make(bad as never)).toThrow(TypeError);
    expect(listening()).toBe(false);
  });

  it("does not keep timers that fired: a week of them costs it nothing", async () => {
    const { loop, host } = virtualLoop();
    const guard = watch();
    let left = 5000;
    const again = (): unknown => (--left > 0 ? loop.callLater(60_000, again) : undefined);
    again();
    await host.advance(7 * 24 * 3_600_000);
    expect(left).toBe(0);
    await guard.close();
  });

  it("names the start of a periodic callback, however often it has fired: a week reads one stack", async () => {
    const { loop, host } = virtualLoop();
    const guard = watch(briefly);
    const minutes = new PeriodicCallback(() => undefined, 60_000, { loop });
    minutes.start();
    const line = lineAbove();
    for (const days of [0, 7]) {
      await host.advance(days * 24 * 3_600_000);
      expect(guard.leaks()).toEqual([
        {
          kind: "timer",
          what: "periodic callback, every 60000 ms",
          made: `PeriodicCallback.start() at test/${line}:13`,
          object: minutes,
        },
      ]);
    }
    minutes.stop();
    await guard.close();
  });

  it("knows nothing of a periodic callback that was started before it, at once or through a promise", async () => {
    const { loop, host } = virtualLoop();
    let runs = 0;
    const callbacks = [() => void runs++, async () => void runs++];
    const before = callbacks.map((fn) => new PeriodicCallback(fn, 60_000, { loop }));
    for (const each of before) each.start();
    await host.advance(60_000);
    const guard = watch(briefly);
    await host.advance(10 * 60_000);
    expect(runs).toBe(22);
    expect(guard.leaks()).toEqual([]);
    // What is started again is made anew.
    const again = before[0] as PeriodicCallback;
    again.stop();
    again.start();
    const line = lineAbove();
    for (const minutes of [0, 10]) {
      await host.advance(minutes * 60_000);
      expect(guard.leaks().map(({ made }) => made)).toEqual([`PeriodicCallback.start() at test/${line}:11`]);
    }
    for (const each of before) each.stop();
    await guard.close();
  });

  it("knows a periodic callback from before it that is started again in its own call", async () => {
    const { loop, host } = virtualLoop();
    const periodic = new PeriodicCallback(
      () => {
        periodic.stop();
        periodic.start();
      },
      60_000,
      { loop },
    );
    periodic.start();
    const guard = watch(briefly);
    await host.advance(60_000);
    expect(guard.leaks().map(({ made }) => made)).toEqual([
      expect.stringContaining("PeriodicCallback.start() at"),
    ]);
    periodic.stop();
    await guard.close();
  });

  it("sees a periodic callback between two calls, during one, and while its promise is pending", async () => {
    const { loop, host } = virtualLoop();
    const guard = watch(briefly);
    const seen: number[] = [];
    const periodic = new PeriodicCallback(
      () => {
        seen.push(guard.leaks().length);
        return new Promise<void>((resolve) => void loop.addCallback(() => loop.addCallback(resolve)));
      },
      10,
      { loop },
    );
    periodic.start();
    seen.push(guard.leaks().length);
    await host.advance(10);
    const never = new PeriodicCallback(() => new Promise(() => undefined), 10, { loop });
    never.start();
    await host.advance(20);
    expect(seen).toEqual([1, 1, 2, 2]);
    expect(loop.metrics().timers).toBe(1);
    expect(() => guard.check()).toThrow(
      /a periodic callback, every 10 ms, made by PeriodicCallback.start\(\) at .*\n.* at /,
    );
    periodic.stop();
    expect(guard.leaks().map(({ object }) => object)).toEqual([never]);
    never.stop();
    never.stop();
    await guard.close();
  });

  it("counts a periodic callback no longer when its loop is closed", async () => {
    const { loop } = virtualLoop();
    const guard = watch(briefly);
    new PeriodicCallback(() => undefined, 10, { loop }).start();
    await loop.close();
    await guard.close();
  });

  it("takes no timer for the next of another, though that has fired and both have one callback and one context", async () => {
    const { loop, host } = virtualLoop();
    const guard = watch(briefly);
    const context = new AsyncResource("test");
    const idle = (): void => undefined;
    context.runInAsyncScope(() => loop.callLater(5, idle));
    await host.advance(10);
    context.runInAsyncScope(() => loop.callLater(60_000, idle));
    const line = lineAbove();
    expect(guard.leaks().map(({ made }) => made)).toEqual([expect.stringContaining(line)]);
    await host.advance(60_000);
    await guard.close();
  });

  it("names the line of each timer, also where many have one callback and one context", async () => {
    const { loop, host } = virtualLoop();
    const guard = watch(briefly);
    const context = new AsyncResource("test");
    const idle = (): void => undefined;
    const lines: string[] = [];
    await context.runInAsyncScope(async () => {
      loop.callLater(1000, idle);
      lines.push(lineAbove());
      loop.removeTimeout(loop.callLater(1000, idle));
    });
    context.runInAsyncScope(() => {
      loop.callLater(2000, idle);
      lines.push(lineAbove());
    });
    expect(guard.leaks().map(({ made }) => /leaks\.test\.ts:\d+/.exec(made)?.[0])).toEqual(lines);
    await host.advance(2000);
    await guard.close();
  });

  it("waits for what is on its way to its end", async () => {
    const loop = new IOLoop();
    await using _guard = watch();
    loop.callLater(20, () => undefined);
  });

  it("refuses what are no options, as the others do, before anything is watched", () => {
    const hooks = { beforeEach: () => undefined, afterEach: () => undefined };
    for (const begin of [
      (options: never) => watchLeaks(options),
      (options: never) => leakGuard(() => undefined, options),
      (options: never) => guardEachTest(hooks, options),
    ]) {
      expect(() => begin(5 as never)).toThrow(/got 5: give { graceMs: 5 }$/);
      expect(() => begin(["timer"] as never)).toThrow(/give { kinds: \[…\] }$/);
      expect(() => begin({ kinds: ["timers"] } as never)).toThrow(RangeError);
    }
    expect(listening()).toBe(false);
  });

  it("is closed once, whoever closes it", async () => {
    const guard = watch(briefly);
    const { loop } = virtualLoop();
    loop.callLater(1, () => undefined);
    await expect(guard.close()).rejects.toThrow(LeakError);
    await guard.close();
    await guard[Symbol.asyncDispose]();
    expect(listening()).toBe(false);
  });
});

onEveryEngine((engine) => {
  it("names streams over real sockets, and is content when both ends are closed", async () => {
    const loop = new IOLoop();
    const guard = watch();
    let accept = (): void => undefined;
    const acceptedOne = new Promise<void>((resolve) => {
      accept = resolve;
    });
    const server = new TCPServer(
      (stream) => {
        accept();
        return stream.readUntilClose().then(() => stream.close());
      },
      { loop, engine },
    );
    await server.listen(0, "127.0.0.1");
    const stream = await new TCPClient({ loop, engine }).connect("127.0.0.1", server.port);
    const line = lineAbove();
    await acceptedOne;
    const mine = guard.leaks().find(({ object }) => object === stream);
    expect(mine?.what).toContain(
      `stream (${engine}, 127.0.0.1:${stream.info.localPort} to 127.0.0.1:${server.port})`,
    );
    expect(mine?.made).toBe(`TCPClient.connect() at test/${line}:20`);
    const [accepted, ...others] = guard
      .leaks()
      .filter(({ kind, object }) => kind === "stream" && object !== stream);
    expect(others).toEqual([]);
    expect(accepted?.made).toBe("TCPServer for a connection it accepted");
    await stream.close();
    await server.stop();
    await guard.close();
  });
});

describe("a connection that is held half-closed on Node's engine, which is asked for resets now and then", () => {
  const engine = "node";

  async function halfClosed(loop: IOLoop): Promise<AsyncDisposable> {
    const accepted = new Deferred<IOStream>();
    const server = new TCPServer((stream) => accepted.resolve(stream), { loop, engine });
    await server.listen(0, "127.0.0.1");
    const client = await new TCPClient({ loop, engine }).connect("127.0.0.1", server.port);
    client.end();
    const held = await accepted.promise;
    await held.readUntilClose();
    return {
      async [Symbol.asyncDispose]() {
        await Promise.all([held.close(), client.close()]);
        await server.stop();
      },
    };
  }

  it("is unknown where it was there before, and so is what goes on for it", async () => {
    const { loop, host } = virtualLoop();
    const connection = await halfClosed(loop);
    const guard = watch(briefly);
    for (let seconds = 0; seconds < 3; seconds++) {
      await host.advance(1000);
      expect(guard.leaks()).toEqual([]);
    }
    await connection[Symbol.asyncDispose]();
    await guard.close();
  });

  it("is two streams and a listener otherwise, and no timer", async () => {
    const { loop, host } = virtualLoop();
    const guard = watch(briefly);
    const connection = await halfClosed(loop);
    for (let seconds = 0; seconds < 3; seconds++) {
      await host.advance(1000);
      expect(guard.leaks().map(({ kind }) => kind)).toEqual(["listener", "stream", "stream"]);
    }
    await connection[Symbol.asyncDispose]();
    await guard.close();
  });
});

onEveryEngine((engine) => {
  it("names sockets that listen, with the place that asked for them, and nothing private", async () => {
    const loop = new IOLoop();
    const guard = watch(briefly);
    const server = new TCPServer(() => undefined, { loop, engine });
    await server.listen(0, "127.0.0.1");
    const line = lineAbove();
    const [leak] = guard.leaks();
    expect(leak).toMatchObject({ kind: "listener", what: `socket that listens on 127.0.0.1:${server.port}` });
    expect(leak?.made).toBe(`at test/${line}:5`);
    expect(() => guard.check()).toThrow(`127.0.0.1:${server.port}, made at test/${line}:5`);
    await server.stop();
    await server.stop();
    await guard.close();
  });
});

describe("VirtualHost.run() while leaks are watched", () => {
  it("names what is still there when nothing is left to wait for", async () => {
    const { loop, host } = virtualLoop();
    const guard = watch();
    let line = "";
    const stuck = host.run(async () => {
      const [a] = memoryPair(loop);
      const stream = new IOStream(a, { loop });
      line = lineAbove();
      await stream.readBytes(1);
    });
    await expect(stuck).rejects.toMatchObject({
      code: "ERR_TW_VIRTUAL_IDLE",
      message: expect.stringContaining("a stream (memory)"),
    });
    await expect(stuck).rejects.toThrow(line);
    guard.stop();
  });
});

describe("leakGuard()", () => {
  const { loop } = virtualLoop();

  it("passes arguments and the result through", async () => {
    const test = leakGuard((a: number, b: string) => `${a}${b}`);
    expectTypeOf(test).toEqualTypeOf<(a: number, b: string) => Promise<string>>();
    expect(await test(1, "x")).toBe("1x");
    expect(() => leakGuard(undefined as never)).toThrow(TypeError);
  });

  it("fails when something survives, and as the function does when that fails", async () => {
    const leak = () => loop.callLater(1000, () => undefined);
    await expect(leakGuard(leak, briefly)()).rejects.toThrow(LeakError);
    const failing = leakGuard(() => {
      leak();
      throw new Error("its own");
    }, briefly);
    await expect(failing()).rejects.toThrow("its own");
    expect(listening()).toBe(false);
  });
});

describe("guardEachTest()", () => {
  it("fails a test in whose time something was made that survives, and not the next", async () => {
    const runner = new EventEmitter();
    const after: (() => Promise<void>)[] = [];
    const hooks: TestHooks = {
      beforeEach: (hook) => runner.on("before", hook),
      afterEach: (hook) => after.push(hook),
    };
    guardEachTest(hooks, briefly);
    const { loop } = virtualLoop();
    runner.emit("before");
    loop.callLater(1000, () => undefined);
    await expect(after[0]?.()).rejects.toThrow(LeakError);
    const quiet = once(runner, "before");
    runner.emit("before");
    await quiet;
    await after[0]?.();
    await after[0]?.();
    expect(listening()).toBe(false);
  });

  it("guards tests of node:test, whose hooks and functions fit", async () => {
    const entry = fileURLToPath(new URL("../dist/index.js", import.meta.url));
    const program = `
      import { afterEach, beforeEach, test } from "node:test";
      import { guardEachTest, leakGuard, virtualLoop } from ${JSON.stringify(entry)};
      const { loop } = virtualLoop();
      const leak = () => loop.callLater(50000, () => {});
      guardEachTest({ beforeEach, afterEach }, { graceMs: 0 });
      test("clean", () => {});
      test("by hook", () => void leak());
      test("by function", leakGuard(() => void leak(), { graceMs: 0 }));`;
    const child = spawn(process.execPath, ["--test-reporter=tap", "--input-type=module", "-e", program]);
    let out = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    const [code] = await once(child, "close");
    expect(out).toMatch(/^ok 1 - clean$/m);
    expect(out).toMatch(/^not ok 2 - by hook$/m);
    expect(out).toMatch(/^not ok 3 - by function$/m);
    expect(out).toContain("ERR_TW_LEAK");
    expect(code).toBe(1);
  });

  it("takes the hooks of node:test by their types", () => {
    expectTypeOf<{
      beforeEach: typeof nodeBeforeEach;
      afterEach: typeof nodeAfterEach;
    }>().toExtend<TestHooks>();
  });
});
