// The lines of the contract in network.ts, one case after the other.

import { AsyncLocalStorage } from "node:async_hooks";
import { IOStream, type Transport } from "@tw/iostream";
import type { Listener, ResolvedAddress } from "../network.js";
import { check, codeOf, type ExaminedNetwork, fail, same, text } from "./examined-network.js";

/** Title and examination of each case. */
export const NETWORK_CASES: readonly (readonly [string, (examined: ExaminedNetwork) => Promise<void>])[] = [
  [
    "1 listen() on port 0 finds a free port, and a connection to it carries bytes both ways",
    async (examined) => {
      const { port, address } = await examined.listen();
      check(port > 0 && port < 65_536, `${port} is a port`);
      same(address, examined.here.address, "the listener's address");
      const ours = await examined.connected(port);
      const theirs = await examined.accepted();
      ours.write("ping\n").catch(() => {});
      same(text(await examined.settled(theirs.readUntil("\n"))), "ping\n", "what arrived");
      theirs.write("pong\n").catch(() => {});
      same(text(await examined.settled(ours.readUntil("\n"))), "pong\n", "what came back");
    },
  ],
  [
    "1 listen() delivers nothing before the turn after its promise resolved",
    async (examined) => {
      let known = false;
      const early: boolean[] = [];
      const listening = examined.listen({}, (transport) => {
        early.push(!known);
        examined.arrived.push(transport);
      });
      const { port } = await listening;
      await Promise.resolve();
      known = true;
      await examined.connected(port);
      await examined.until("it is delivered", () => early.length === 1);
      same(early, [false], "deliveries before anybody could know the listener");
    },
  ],
  [
    "1 listen() rejects with EADDRINUSE for a taken port, and not once its listener is closed",
    async (examined) => {
      const first = await examined.listen();
      const error = await examined.rejection(examined.listen({ port: first.port }));
      same(codeOf(error), "EADDRINUSE", "code");
      await first.close();
      const second = await examined.listen({ port: first.port });
      same(second.port, first.port, "the port again");
    },
  ],
  [
    "2 pause() holds connections back, resume() delivers them in order; both may be repeated",
    async (examined) => {
      const listener = await examined.listen();
      listener.pause();
      listener.pause();
      const ours: IOStream[] = [];
      for (let i = 0; i < 3; i++) ours.push(await examined.connected(listener.port));
      await examined.quiet();
      same(examined.arrived.length, 0, "delivered while paused");
      listener.resume();
      listener.resume();
      same(examined.arrived.length, 0, "delivered during resume()");
      await examined.until("all are delivered", () => examined.arrived.length === 3);
      const ports = examined.arrived.map((transport) => transport.info.remotePort);
      same(
        ports,
        ours.map((stream) => stream.info.localPort),
        "their order",
      );
      await examined.connected(listener.port);
      await examined.until("the next is delivered", () => examined.arrived.length === 4);
    },
  ],
  [
    "2 pause() within onConnection holds: not one more is delivered",
    async (examined) => {
      const listener: Listener = await examined.listen({}, (transport) => {
        examined.arrived.push(transport);
        listener.pause();
      });
      listener.pause();
      for (let i = 0; i < 3; i++) await examined.connected(listener.port);
      for (const count of [1, 2, 3]) {
        listener.resume();
        await examined.until("one is delivered", () => examined.arrived.length >= count);
        await examined.quiet();
        same(examined.arrived.length, count, "delivered after one resume()");
      }
    },
  ],
  [
    "3 close() refuses the next, twice over, and leaves alone what was delivered",
    async (examined) => {
      const listener = await examined.listen();
      const ours = await examined.connected(listener.port);
      const theirs = await examined.accepted();
      await listener.close();
      await listener.close();
      listener.resume();
      listener.pause();
      const error = await examined.rejection(examined.connect(listener.port));
      same(codeOf(error), "ECONNREFUSED", "code");
      ours.write("still\n").catch(() => {});
      same(text(await examined.settled(theirs.readUntil("\n"))), "still\n", "what arrived");
    },
  ],
  [
    "3 acceptWaiting() delivers who has connected by then, and close() behind it resets nobody",
    async (examined) => {
      const listener = await examined.listen();
      if (listener.acceptWaiting === undefined) return;
      listener.pause();
      const ours: IOStream[] = [];
      for (let i = 0; i < 20; i++) ours.push(await examined.connected(listener.port));
      listener.resume();
      await examined.settled(listener.acceptWaiting());
      await listener.close();
      same(examined.arrived.length, 20, "delivered");
      for (const stream of ours) {
        const theirs = await examined.accepted();
        theirs.write("served\n").catch(() => {});
        same(text(await examined.settled(stream.readUntil("\n"))), "served\n", "what arrived");
      }
      await examined.settled(listener.acceptWaiting());
    },
  ],
  [
    "3 close() while paused delivers nothing that waited, and who waited learns of the end",
    async (examined) => {
      const listener = await examined.listen();
      listener.pause();
      const ours = await examined.connected(listener.port);
      await examined.quiet();
      await listener.close();
      const error = await examined.rejection(ours.readBytes(1));
      same(codeOf(error), "ERR_TW_STREAM_CLOSED", "code");
      same(examined.arrived.length, 0, "delivered");
    },
  ],
  [
    "4 onConnection runs in the context of whoever listened, and nothing it enters is seen by the next",
    async (examined) => {
      const storage = new AsyncLocalStorage<string>();
      const seen: (string | undefined)[] = [];
      const listener = await storage.run("listener", () =>
        examined.listen({}, (transport) => {
          seen.push(storage.getStore());
          storage.enterWith(`handler ${seen.length}`);
          examined.arrived.push(transport);
        }),
      );
      await storage.run("client", async () => {
        for (let i = 0; i < 3; i++) await examined.connected(listener.port);
      });
      await examined.until("all are delivered", () => seen.length === 3);
      same(seen, ["listener", "listener", "listener"], "stores");
    },
  ],
  [
    "4 onConnection that throws loses its connection, and the listener goes on",
    async (examined) => {
      let calls = 0;
      const listener = await examined.listen({}, (transport) => {
        if (++calls === 1) throw new Error("Provoked by the network's examination");
        examined.arrived.push(transport);
      });
      const first = await examined.connected(listener.port).catch((error) => error as Error);
      if (first instanceof IOStream) await examined.rejection(first.readBytes(1));
      await examined.connected(listener.port);
      await examined.until("the second is delivered", () => examined.arrived.length === 1);
    },
  ],
  [
    "5 connect() rejects with ECONNREFUSED where nobody listens",
    async (examined) => {
      const listener = await examined.listen();
      await listener.close();
      const error = await examined.rejection(examined.connect(listener.port));
      same(codeOf(error), "ECONNREFUSED", "code");
    },
  ],
  [
    "5 connect() rejects with the signal's reason when it is aborted before, or at once",
    async (examined) => {
      const { port } = await examined.listen();
      const reason = new Error("no more");
      const before = examined.connect(port, examined.here, AbortSignal.abort(reason));
      check((await examined.rejection(before)) === reason, "the reason of before");
      const abort = new AbortController();
      const connecting = examined.connect(port, examined.here, abort.signal);
      abort.abort(reason);
      // It may have been connected already: then it is the caller's to close.
      const result = await examined.settled(connecting.catch((error: unknown) => error));
      if (result !== reason) examined.stream(result as Transport);
    },
  ],
  [
    "5 connect() cares no more for the signal once it has resolved",
    async (examined) => {
      const { port } = await examined.listen();
      const abort = new AbortController();
      const ours = examined.stream(await examined.connect(port, examined.here, abort.signal));
      const theirs = await examined.accepted();
      abort.abort(new Error("late"));
      await examined.quiet();
      ours.write("x").catch(() => {});
      same(text(await examined.settled(theirs.readBytes(1))), "x", "what arrived");
    },
  ],
  [
    "6 info of both ends mirrors",
    async (examined) => {
      const { port } = await examined.listen();
      const { info: ours } = await examined.connected(port);
      const { info: theirs } = await examined.accepted();
      same(ours.remotePort, port, "the client's remote port");
      same(
        [ours.remoteAddress, ours.remotePort],
        [theirs.localAddress, theirs.localPort],
        "client to server",
      );
      same(
        [ours.localAddress, ours.localPort],
        [theirs.remoteAddress, theirs.remotePort],
        "server to client",
      );
      check(ours.localPort > 0 && ours.localPort !== port, "the client has a port of its own");
    },
  ],
  [
    "7 resolve() answers a numeric host with itself, and with nothing for the wrong family",
    async (examined) => {
      const { network } = examined;
      same(await network.resolve("127.0.0.1", 0), [{ address: "127.0.0.1", family: 4 }], "127.0.0.1");
      same(await network.resolve("127.0.0.1", 4), [{ address: "127.0.0.1", family: 4 }], "127.0.0.1 as IPv4");
      same(await network.resolve("127.0.0.1", 6), [], "127.0.0.1 as IPv6");
      same(await network.resolve("::1", 4), [], "::1 as IPv4");
    },
  ],
  [
    '7 resolve("") answers with what can be listened on',
    async (examined) => {
      const { family } = examined.here;
      const [first] = await examined.network.resolve("", family === "unix" ? 0 : family);
      if (first === undefined) return fail("there is no address");
      const { port } = await examined.listen(first);
      await examined.connected(port);
      await examined.accepted();
    },
  ],
  [
    "1 listen() on a path and connect() to it, where there are paths",
    async (examined) => {
      const { path } = examined.subject;
      if (path === undefined) return;
      const place: ResolvedAddress = { address: path, family: "unix" };
      const listener = await examined.listen({ ...place, mode: 0o600 });
      same([listener.address, listener.port], [path, 0], "the listener's name");
      const ours = examined.stream(await examined.connect(0, place));
      const theirs = await examined.accepted();
      ours.write("unix").catch(() => {});
      same(text(await examined.settled(theirs.readBytes(4))), "unix", "what arrived");
      same([theirs.info.remoteAddress, theirs.info.remotePort], ["", 0], "the peer's name");
      same(codeOf(await examined.rejection(examined.listen(place))), "EADDRINUSE", "a second listener");
      await listener.close();
      const code = codeOf(await examined.rejection(examined.connect(0, place)));
      check(code === "ENOENT" || code === "ECONNREFUSED", `${code} after close()`);
    },
  ],
];
