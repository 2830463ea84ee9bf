// The race of the families, in virtual time: what is tried, when, and what is left over.
import { getEventListeners } from "node:events";
import type { IOLoop, Timeout } from "@tw/ioloop";
import { virtualLoop } from "@tw/ioloop/testing";
import { nullLogger } from "@tw/log";
import { describe, expect, it } from "vitest";
import { TCPClient, useNetwork } from "../src/index.js";
import { FakeNetwork, type Outcome } from "./fake-network.js";

function race(outcomes: Readonly<Record<string, Outcome>>) {
  const { loop, host } = virtualLoop({ logger: nullLogger });
  const network = new FakeNetwork(loop, outcomes);
  useNetwork(loop, network);
  const client = new TCPClient({ loop });
  const timers = watchTimers(loop);
  return { loop, host, network, client, timers };
}

/** Timers of the loop that neither fired nor were removed. */
function watchTimers(loop: IOLoop): Set<Timeout> {
  const timers = new Set<Timeout>();
  const callLater = loop.callLater.bind(loop);
  const removeTimeout = loop.removeTimeout.bind(loop);
  loop.callLater = ((delayMs: number, fn: () => unknown) => {
    const timer: Timeout = callLater(delayMs, () => {
      timers.delete(timer);
      return fn();
    });
    timers.add(timer);
    return timer;
  }) as IOLoop["callLater"];
  loop.removeTimeout = (timer) => {
    timers.delete(timer);
    removeTimeout(timer);
  };
  return timers;
}

describe("TCPClient.connect() with addresses of two families", () => {
  it("takes the first that answers, and tries no other", async () => {
    const { host, network, client, timers } = race({ "::1": { afterMs: 10 }, "10.0.0.1": { afterMs: 1 } });
    const stream = await host.run(() => client.connect("host", 80));
    expect(stream.info.remoteAddress).toBe("::1");
    expect(network.log).toEqual(["0 +::1", "10 =::1"]);
    expect(timers.size).toBe(0);
  });

  it("starts the second family after 300 ms beside a first one that hangs, and gives that up when it won", async () => {
    const { host, network, client } = race({ "::1": "hangs", "10.0.0.1": { afterMs: 20 } });
    const stream = await host.run(() => client.connect("host", 80));
    expect(stream.info.remoteAddress).toBe("10.0.0.1");
    expect(network.log).toEqual(["0 +::1", "300 +10.0.0.1", "320 =10.0.0.1", "320 -::1"]);
  });

  it("gives the first family 300 ms and not less", async () => {
    const { host, network, client } = race({ "::1": { afterMs: 299 }, "10.0.0.1": { afterMs: 0 } });
    await host.run(() => client.connect("host", 80));
    expect(network.log).toEqual(["0 +::1", "299 =::1"]);
  });

  it("starts the second family at once when the first attempt failed, beside the next of the first family", async () => {
    const { host, network, client } = race({
      "::1": { afterMs: 5, code: "ECONNREFUSED" },
      "::2": "hangs",
      "10.0.0.1": { afterMs: 20 },
      "10.0.0.2": { afterMs: 0 },
    });
    const stream = await host.run(() => client.connect("host", 80));
    expect(stream.info.remoteAddress).toBe("10.0.0.1");
    expect(network.log).toEqual(["0 +::1", "5 !::1", "5 +::2", "5 +10.0.0.1", "25 =10.0.0.1", "25 -::2"]);
  });

  it("tries every address of both families, and rejects with the last error when none answers", async () => {
    const { host, network, client, timers } = race({
      "10.0.0.1": { afterMs: 1, code: "ECONNREFUSED" },
      "::1": { afterMs: 50, code: "EHOSTUNREACH" },
      "10.0.0.2": { afterMs: 1, code: "ECONNRESET" },
      "::2": { afterMs: 50, code: "ENETUNREACH" },
    });
    await expect(host.run(() => client.connect("host", 80))).rejects.toMatchObject({ code: "ENETUNREACH" });
    expect(network.log.filter((line) => line.includes("+"))).toEqual([
      "0 +10.0.0.1",
      "1 +10.0.0.2",
      "1 +::1",
      "51 +::2",
    ]);
    expect(timers.size).toBe(0);
  });

  it("goes from address to address where there is one family only, without the 300 ms", async () => {
    const { host, network, client } = race({
      "10.0.0.1": { afterMs: 400, code: "ETIMEDOUT" },
      "10.0.0.2": { afterMs: 1 },
    });
    await host.run(() => client.connect("host", 80));
    expect(network.log).toEqual(["0 +10.0.0.1", "400 !10.0.0.1", "400 +10.0.0.2", "401 =10.0.0.2"]);
  });

  it("closes the second of two that are connected at the same time", async () => {
    const { host, network, client } = race({ "::1": { afterMs: 310 }, "10.0.0.1": { afterMs: 10 } });
    // The one that is given up has been connected already, and cannot be told any more.
    const connect = network.connect.bind(network);
    network.connect = ({ signal: _deaf, ...options }) => connect(options);
    const stream = await host.run(() => client.connect("host", 80));
    await host.advance(1);
    expect(network.made.size).toBe(2);
    const winner = stream.info.remoteAddress;
    for (const [address, { aborted }] of network.made)
      expect({ address, aborted }).toEqual({ address, aborted: address !== winner });
  });
});

describe("TCPClient.connect() giving up", () => {
  it("aborts all attempts when time is over, with ERR_TW_CONNECT_TIMEOUT", async () => {
    const { host, network, client, timers } = race({ "::1": "hangs", "10.0.0.1": "hangs" });
    await expect(host.run(() => client.connect("host", 80, { timeoutMs: 500 }))).rejects.toMatchObject({
      code: "ERR_TW_CONNECT_TIMEOUT",
      message: "Timeout while connecting to host:80: 500 ms",
    });
    expect(network.log).toEqual(["0 +::1", "300 +10.0.0.1", "500 -::1", "500 -10.0.0.1"]);
    expect(timers.size).toBe(0);
  });

  it("takes 20 s where no time is given, and 0 for no limit", async () => {
    const { host, client } = race({ "::1": "hangs" });
    await expect(host.run(() => client.connect("host", 80))).rejects.toMatchObject({
      code: "ERR_TW_CONNECT_TIMEOUT",
    });
    expect(host.now()).toBe(20_000);
    await expect(host.run(() => client.connect("host", 80, { timeoutMs: 0 }))).rejects.toMatchObject({
      code: "ERR_TW_VIRTUAL_IDLE",
    });
  });

  it("aborts all attempts with the signal's reason, and listens to the signal no longer", async () => {
    const { loop, host, network, client, timers } = race({ "::1": "hangs", "10.0.0.1": "hangs" });
    const abort = new AbortController();
    const reason = new Error("no more");
    loop.callLater(350, () => abort.abort(reason));
    await expect(host.run(() => client.connect("host", 80, { signal: abort.signal }))).rejects.toBe(reason);
    expect(network.log.slice(2)).toEqual(["350 -::1", "350 -10.0.0.1"]);
    expect(timers.size).toBe(0);
  });

  it("shares one listener on a signal with all others that connect, and leaves none", async () => {
    const { host, client } = race({ "::1": "hangs" });
    const abort = new AbortController();
    const listeners = () => getEventListeners(abort.signal, "abort").length;
    const connecting = Array.from({ length: 20 }, () => client.connect("host", 80, { signal: abort.signal }));
    await host.advance(1);
    expect(listeners()).toBe(1);
    abort.abort("enough");
    for (const each of connecting) await expect(each).rejects.toBe("enough");
    expect(listeners()).toBe(0);
  });

  it("gives up while the name is being resolved, and drops the answer", async () => {
    const { loop, host, network } = race({ "::1": { afterMs: 0 } });
    const answer = { address: "::1", port: 80, family: 6 } as const;
    const resolver = {
      resolve: () => new Promise<[typeof answer]>((resolve) => loop.callLater(1000, () => resolve([answer]))),
    };
    const client = new TCPClient({ loop, resolver });
    const timeout = client.connect("host", 80, { timeoutMs: 100 });
    await expect(host.run(() => timeout)).rejects.toMatchObject({ code: "ERR_TW_CONNECT_TIMEOUT" });
    const reason = new Error("stop");
    const abort = new AbortController();
    loop.callLater(100, () => abort.abort(reason));
    await expect(host.run(() => client.connect("host", 80, { signal: abort.signal }))).rejects.toBe(reason);
    await host.advance(2000);
    expect(network.log).toEqual([]);
  });

  it("says what the resolver said", async () => {
    const { loop, host } = race({});
    const failure = new Error("no such host");
    const client = new TCPClient({ loop, resolver: { resolve: () => Promise.reject(failure) } });
    await expect(host.run(() => client.connect("host", 80))).rejects.toBe(failure);
    const throwing = new TCPClient({
      loop,
      resolver: {
        resolve: () => {
          throw failure;
        },
      },
    });
    await expect(host.run(() => throwing.connect("host", 80))).rejects.toBe(failure);
  });

  it("says ERR_TW_NO_ADDRESS where there is none", async () => {
    const { loop, host } = race({});
    const client = new TCPClient({ loop, resolver: { resolve: async () => [] } });
    await expect(host.run(() => client.connect("host", 80, { family: 6 }))).rejects.toMatchObject({
      code: "ERR_TW_NO_ADDRESS",
      message: 'No IPv6 address found for "host"',
    });
  });
});

describe("TCPClient.connect() from an end of our own", () => {
  it("hands sourceIp and sourcePort on, and asks for addresses of that family only", async () => {
    const { loop, host, network } = race({ "10.0.0.1": { afterMs: 0 } });
    const families: number[] = [];
    const client = new TCPClient({
      loop,
      resolver: {
        async resolve(_host, port, family) {
          families.push(family);
          return [{ address: "10.0.0.1", port, family: 4 }];
        },
      },
    });
    await host.run(() => client.connect("host", 80, { sourceIp: "127.0.0.1", sourcePort: 4000 }));
    await host.run(() => client.connect("host", 80, { sourcePort: 4001 }));
    await host.run(() => client.connect("host", 80));
    expect(families).toEqual([4, 0, 0]);
    expect(network.asked.map(({ localAddress, localPort }) => [localAddress, localPort])).toEqual([
      ["127.0.0.1", 4000],
      ["127.0.0.1", 4001],
      [undefined, undefined],
    ]);
  });
});
