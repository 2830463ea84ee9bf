// Contract 1 to 4: start, calls that do not nest, pause as a level, leases.

import { check, same } from "./examiner.js";
import type { Define } from "./suite.js";

export const reading: Define = (test) => {
  test("1: start() delivers nothing itself; what came before it comes after it", async (x) => {
    x.a.start();
    x.a.say("early");
    await x.quiet();
    x.b.start();
    await x.until("early bytes", () => x.b.text === "early");
  });

  test("1: a transport paused before start() delivers nothing until resume()", async (x) => {
    x.b.pause();
    x.startBoth();
    x.a.say("x");
    await x.quiet();
    same(x.b.receivedBytes, 0, "bytes while paused");
    x.b.resume();
    await x.until("the byte", () => x.b.receivedBytes === 1);
  });

  test("1: start() again hands the transport to another receiver", async (x) => {
    x.startBoth();
    x.a.say("for the first");
    await x.until("the first bytes", () => x.b.text === "for the first");
    const { b } = x;
    b.pause();
    x.a.say("for the second");
    const calls: string[] = [];
    const note = (call: string) => (): void => void calls.push(call);
    b.transport.start({
      onBytes: (view) => void calls.push(String.fromCharCode(...view)),
      onEnd: note("end"),
      onDrain: note("drain"),
      onClose: (error) => b.onClose(error),
    });
    b.resume();
    await x.until("bytes at the second", () => calls.join("") === "for the second");
    same(b.text, "for the first", "bytes at the first");
    x.a.end();
    await x.until("the end at the second", () => calls.includes("end"));
    same(b.ended, false, "an end at the first");
  });

  test("2: calls never nest while both ends answer each other from inside onBytes", async (x) => {
    let rounds = 0;
    x.b.script.onBytes = (view) => x.b.say(view.slice());
    x.a.script.onBytes = () => {
      if (++rounds < 50) x.a.say("ping");
    };
    x.startBoth();
    x.a.say("ping");
    await x.until("50 rounds", () => rounds === 50);
  });

  test("3: after pause() neither bytes nor the end come, however often it was called; one resume() lifts it", async (x) => {
    x.startBoth();
    x.b.script.onBytes = () => {
      x.b.pause();
      x.b.pause();
    };
    x.a.say("first");
    await x.until("the first bytes", () => x.b.receivedBytes > 0);
    x.a.say("second");
    x.a.end();
    await x.quiet();
    same(x.b.text, "first", "received while paused");
    x.b.script.onBytes = () => {};
    x.b.resume();
    x.b.resume();
    await x.until("the end", () => x.b.ended);
    same(x.b.text, "firstsecond", "received after resume");
  });

  test("3: a pause holds back an end that comes alone", async (x) => {
    x.startBoth();
    x.b.pause();
    x.a.end();
    await x.quiet();
    same(x.b.calls, [], "calls while paused");
    x.b.resume();
    await x.until("the end", () => x.b.ended);
  });

  test("3: resume() and pause() in one turn are a pause", async (x) => {
    x.startBoth();
    for (let i = 0; i < 5; i++) {
      x.b.resume();
      x.b.pause();
      x.a.say("x");
      await x.quiet();
    }
    same(x.b.receivedBytes, 0, "received while paused");
    x.a.end();
    x.b.resume();
    await x.until("the end", () => x.b.ended);
    same(x.b.receivedBytes, 5, "received after resume");
  });

  test("3: pause() and resume() in turn inside onBytes lose nothing", async (x) => {
    x.b.script.onBytes = () => {
      x.b.pause();
      x.b.resume();
    };
    x.startBoth();
    let sent = 0;
    for (let i = 0; i < 20; i++) {
      x.a.say("0123456789");
      sent += 10;
      await x.quiet();
    }
    await x.until("all bytes", () => x.b.receivedBytes === sent);
  });

  test("3: abort() while paused closes all the same; a reset is told at the latest after resume()", async (x) => {
    x.startBoth();
    x.a.pause();
    x.b.pause();
    x.a.abort();
    await x.until("close of a", () => x.a.closed);
    await x.quiet();
    x.b.resume();
    await x.until("news at b", () => x.b.ended || x.b.closed);
  });

  test("4: a returned promise leases the view: it stays as it is and nothing more comes, while the other way flows", async (x) => {
    let release = (): void => {};
    let leased: Uint8Array | undefined;
    x.b.script.onBytes = (view) => {
      if (leased !== undefined) return;
      leased = view;
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    };
    x.startBoth();
    x.a.say("leased");
    await x.until("the view", () => leased !== undefined);
    x.a.say("behind");
    x.a.end();
    for (let i = 0; i < 10; i++) {
      x.b.say("overwrites everything that is not leased ".repeat(20));
      await x.quiet();
    }
    same(x.b.text, "leased", "received under the lease");
    const view = leased as unknown as Uint8Array;
    same(String.fromCharCode(...view), "leased", "the view under the lease");
    release();
    await x.until("what was behind, and the end", () => x.b.ended);
    same(x.b.text, "leasedbehind", "received after the lease");
  });

  test("4: pause and lease are independent: both must be over", async (x) => {
    let release = (): void => {};
    const lease = (): Promise<void> =>
      new Promise((resolve) => {
        release = resolve;
      });
    x.b.script.onBytes = (): Promise<void> | undefined => {
      if (x.b.receivedBytes > 2) return;
      x.b.pause();
      return lease();
    };
    x.startBoth();
    x.a.say("1");
    await x.until("the first byte", () => x.b.receivedBytes === 1);
    x.a.say("2");
    x.b.resume();
    await x.quiet();
    same(x.b.text, "1", "resumed under a lease");
    release();
    await x.until("the second byte", () => x.b.receivedBytes === 2);
    x.a.say("3");
    release();
    await x.quiet();
    same(x.b.text, "12", "lease over while paused");
    x.b.resume();
    await x.until("the third byte", () => x.b.receivedBytes === 3);
  });

  test("4: a rejected promise aborts with its reason", async (x) => {
    const reason = new Error("handler failed");
    x.b.script.onBytes = () => Promise.reject(reason);
    x.startBoth();
    x.a.say("x");
    await x.until("the close", () => x.b.closed);
    check(x.b.error === reason, "onClose has the reason");
  });

  test("4: abort() under a lease closes now, and the lease may end later", async (x) => {
    let release = (): void => {};
    x.b.script.onBytes = () =>
      new Promise<void>((resolve) => {
        release = resolve;
      });
    x.startBoth();
    x.a.say("x");
    await x.until("the byte", () => x.b.receivedBytes === 1);
    x.b.abort();
    await x.until("the close", () => x.b.closed);
    release();
    await x.quiet();
  });
};
