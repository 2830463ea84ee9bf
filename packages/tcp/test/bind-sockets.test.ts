// Which addresses are bound and which may be missing, on a network that says what the test wants.
import { virtualLoop } from "@tw/ioloop/testing";
import { nullLogger } from "@tw/log";
import { describe, expect, it } from "vitest";
import {
  bindSockets,
  type ListenOptions,
  type Network,
  type ResolvedAddress,
  useNetwork,
} from "../src/index.js";

const BOTH: readonly ResolvedAddress[] = [
  { address: "127.0.0.1", family: 4 },
  { address: "::1", family: 6 },
];

/** Binds what `refuse` names no code for, and counts ports from 1000. */
function make(addresses: readonly ResolvedAddress[], refuse: (options: ListenOptions) => string | undefined) {
  const { loop } = virtualLoop({ logger: nullLogger });
  const open: string[] = [];
  let nextPort = 1000;
  const network: Network = {
    async listen(options) {
      const port = options.port || nextPort++;
      const code = refuse({ ...options, port });
      if (code !== undefined) throw Object.assign(new Error(code), { code });
      const name = `${options.address} ${port}`;
      open.push(name);
      return {
        address: options.address,
        port,
        pause() {},
        resume() {},
        async close() {
          open.splice(open.indexOf(name), 1);
        },
      };
    },
    connect: () => Promise.reject(new Error("nobody connects")),
    resolve: async () => addresses,
  };
  useNetwork(loop, network);
  return { open, bind: (port: number) => bindSockets(port, "host", { loop }) };
}

describe("bindSockets()", () => {
  it("binds each address of a name, on the same port when it is free to choose", async () => {
    const { open, bind } = make(BOTH, () => undefined);
    await bind(0);
    expect(open).toEqual(["127.0.0.1 1000", "::1 1000"]);
  });

  it("tries other ports while the chosen one is taken on another address, and leaves none of them bound", async () => {
    const { open, bind } = make(BOTH, ({ family, port }) =>
      family === 6 && port < 1003 ? "EADDRINUSE" : undefined,
    );
    await bind(0);
    expect(open).toEqual(["127.0.0.1 1003", "::1 1003"]);
  });

  it("gives up after eight ports", async () => {
    let asked = 0;
    const { open, bind } = make(BOTH, ({ family }) => {
      if (family === 4) return undefined;
      asked++;
      return "EADDRINUSE";
    });
    await expect(bind(0)).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect([asked, open]).toEqual([8, []]);
  });

  it("does not look for another port than the one that was asked for", async () => {
    const { open, bind } = make(BOTH, ({ family }) => (family === 6 ? "EADDRINUSE" : undefined));
    await expect(bind(80)).rejects.toMatchObject({ code: "EADDRINUSE" });
    expect(open).toEqual([]);
  });

  it.each(["EAFNOSUPPORT", "EADDRNOTAVAIL"])(
    "does without IPv6 where the machine has none: %s",
    async (code) => {
      const { open, bind } = make(BOTH, ({ family }) => (family === 6 ? code : undefined));
      expect(await bind(80)).toHaveLength(1);
      expect(open).toEqual(["127.0.0.1 80"]);
      const none = make(BOTH.slice(1), () => code);
      await expect(none.bind(80)).rejects.toMatchObject({ code });
    },
  );

  it("does not do without IPv4", async () => {
    const { open, bind } = make(BOTH.toReversed(), ({ family }) =>
      family === 4 ? "EADDRNOTAVAIL" : undefined,
    );
    await expect(bind(80)).rejects.toMatchObject({ code: "EADDRNOTAVAIL" });
    expect(open).toEqual([]);
  });

  it("says ERR_TW_NO_ADDRESS for a name without an address", async () => {
    await expect(make([], () => undefined).bind(80)).rejects.toMatchObject({ code: "ERR_TW_NO_ADDRESS" });
  });
});
