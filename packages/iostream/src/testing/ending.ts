// Contract 8 to 11: abort, resets, receivers that throw, and whose async context it all runs in.

import { AsyncLocalStorage } from "node:async_hooks";
import { check, Examiner, type MakePair, same } from "./examiner.js";
import type { Script, Side } from "./side.js";
import type { Define } from "./suite.js";

const CALLS = ["onBytes", "onEnd", "onDrain"] as const;
const HOLDS = ["a pause", "a lease"] as const;

export const ending: Define = (test) => {
  test("8: abort() tells onClose(reason) in a later turn, once, and keeps the first reason", async (x) => {
    const reason = new Error("enough");
    x.startBoth();
    x.a.abort(reason);
    x.a.abort(new Error("again"));
    same(x.a.calls, [], "calls during abort()");
    await x.until("the close", () => x.a.closed);
    check(x.a.error === reason, "the first reason");
    x.a.abort();
    await x.until("news at b", () => x.b.ended || x.b.closed);
  });

  test("8: abort() before start() is told after it", async (x) => {
    x.a.abort();
    await x.quiet();
    x.startBoth();
    await x.until("the close", () => x.a.closed);
  });

  for (const call of CALLS) {
    test(`8: abort() inside ${call} is the end of it`, async (x) => {
      const reason = new Error(call);
      provoke(x, call, () => x.b.abort(reason));
      await x.until("the close", () => x.b.closed);
      check(x.b.error === reason, "the reason");
    });

    test(`10: a receiver that throws in ${call} is closed with what it threw`, async (x) => {
      const thrown = new Error(call);
      provoke(x, call, () => {
        throw thrown;
      });
      await x.until("the close", () => x.b.closed);
      check(x.b.error === thrown, "what it threw");
    });
  }

  test("10: a receiver that throws in onClose harms nobody", async (x) => {
    x.a.script.onClose = () => {
      throw new Error("onClose");
    };
    x.startBoth();
    x.a.abort();
    await x.until("the close", () => x.a.closed);
  });

  test("8, 9: a peer that aborts is a reset where there is one, never a clean end of both directions", async (x) => {
    x.startBoth();
    x.b.say("hello");
    await x.until("the greeting", () => x.a.receivedBytes === 5);
    x.a.abort();
    if (!x.resets) return x.until("the end at b", () => x.b.ended || x.b.closed);
    await x.until("the close at b", () => x.b.closed);
    same((x.b.error as { code?: string })?.code, "ECONNRESET", "code");
  });

  test("8: abort() after end() takes nothing back: the peer gets all bytes and the end", async (x) => {
    x.startBoth();
    x.a.say("all of it");
    await x.until("the kernel to take it", () => x.a.said);
    x.a.end();
    x.a.abort();
    await x.until("the end at b", () => x.b.ended);
    same(x.b.text, "all of it", "bytes");
  });

  test("8: abort() after end() takes nothing back of what the peer has no room for yet", async (x) => {
    x.b.pause();
    x.startBoth();
    const size = 200_000;
    const taken = x.a.write(new Uint8Array(size));
    // A transport that took a part is not to be ended here; what kernels take is more than their peers make room for.
    if (taken < size) return;
    x.a.end();
    x.a.abort();
    await x.until("the close of a", () => x.a.closed);
    x.b.resume();
    await x.until("the end at b", () => x.b.ended || x.b.closed);
    same(x.b.receivedBytes, size, "bytes");
    same(x.b.ended, true, "the end");
  });

  test("8, 9: abort() after end() is no secret to a peer whose writes wait for room", async (x) => {
    const block = new Uint8Array(100_000);
    let room = true;
    const write = (): void => {
      if (room && !x.a.closed) room = x.a.write(block) === block.length;
    };
    x.a.script.onDrain = () => {
      room = true;
    };
    x.b.pause();
    x.startBoth();
    while (room) write();
    x.b.end();
    x.b.abort();
    await x.until("the close of a", () => {
      write();
      return x.a.closed;
    });
    check(["ECONNRESET", "EPIPE"].includes((x.a.error as { code: string }).code), "ECONNRESET or EPIPE");
  });

  test("3, 9: a reset behind bytes that a pause left in the kernel is no end", async (x) => {
    if (!x.resets) return x.startBoth();
    x.b.script.onBytes = () => x.b.pause();
    x.startBoth();
    x.a.say("first");
    await x.until("the first bytes", () => x.b.receivedBytes === 5);
    x.b.script.onBytes = () => {};
    for (let i = 0; i < 4; i++) {
      x.a.say("part");
      await x.quiet();
    }
    x.a.abort();
    await x.until("the close of a", () => x.a.closed);
    await x.quiet();
    x.b.resume();
    await x.until("the close of b", () => x.b.closed);
    same([x.b.ended, (x.b.error as { code?: string })?.code], [false, "ECONNRESET"], "end, code");
  });

  test("3, 5: an end behind bytes that a pause left in the kernel is one, and who answers it closes cleanly", async (x) => {
    x.b.script.onBytes = () => x.b.pause();
    x.b.script.onEnd = () => x.b.end();
    x.startBoth();
    x.a.say("first");
    await x.until("the first bytes", () => x.b.receivedBytes === 5);
    x.b.script.onBytes = () => {};
    x.a.say("last");
    x.a.end();
    await x.quiet();
    x.b.resume();
    await x.until("the close of both", () => x.a.closed && x.b.closed);
    same([x.b.text, x.b.ended], ["firstlast", true], "bytes, end");
    same([x.a.error, x.b.error], [undefined, undefined], "errors");
  });

  for (const hold of HOLDS) {
    test(`3, 4, 7: who ended first hears the peer's end behind ${hold}, and then that it is over`, async (x) => {
      const order: string[] = [];
      Object.assign(x.b.script, { onEnd: () => order.push("end"), onClose: () => order.push("close") });
      const letGo = await endBehind(x, hold);
      same(order, [], "while it is held");
      x.b.script.onBytes = () => {};
      letGo();
      await x.until("the close of both", () => x.a.closed && x.b.closed);
      same([x.b.text, ...order], ["last words", "end", "close"], "bytes, calls");
      same([x.a.error, x.b.error], [undefined, undefined], "errors");
    });

    test(`8: abort() where the peer's end waits behind ${hold} is the end of it`, async (x) => {
      const reason = new Error("enough");
      await endBehind(x, hold);
      x.b.abort(reason);
      same(x.b.closed, false, "closed during abort()");
      await x.until("the close", () => x.b.closed);
      same([x.b.ended, x.b.error], [false, reason], "end, reason");
    });
  }

  test("9: a reset that a write notices first is no end", async (x) => {
    x.startBoth();
    if (!x.resets) return;
    x.b.say("half");
    await x.until("the kernel to take it", () => x.b.said);
    x.b.abort();
    x.a.write("into the void");
    await x.until("the close of a", () => x.a.closed);
    same([x.a.ended, (x.a.error as { code: string }).code], [false, "ECONNRESET"], "end, code");
  });

  test("9: writing to a peer that is gone ends in onClose(error) with a code", async (x) => {
    x.startBoth();
    x.a.abort();
    await x.until("the close of a", () => x.a.closed);
    for (let i = 0; i < 100 && !x.b.closed; i++) {
      x.b.write("into the void");
      await x.quiet();
    }
    check(["ECONNRESET", "EPIPE"].includes((x.b.error as { code: string }).code), "ECONNRESET or EPIPE");
  });

  test("2: abort() inside onClose does nothing", async (x) => {
    x.a.script.onClose = () => x.a.abort(new Error("late"));
    x.startBoth();
    x.a.abort();
    await x.until("the close", () => x.a.closed);
    check(x.a.error === undefined, "no error");
  });
};

/** Calls run in the async context of whoever made the transport. */
export function contextTest(makePair: MakePair): () => Promise<void> {
  return async () => {
    const context = new AsyncLocalStorage<string>();
    const x = new Examiner(await context.run("maker", makePair));
    const seen: string[] = [];
    const note = (call: string) => (): void => void seen.push(`${call} ${context.getStore()}`);
    Object.assign(x.b.script, { onEnd: note("end"), onClose: note("close") });
    x.b.script.onBytes = note("bytes");
    await context.run("user", async () => {
      x.startBoth();
      x.b.pause();
      x.a.say("x");
      await x.quiet();
      x.b.resume();
      await x.until("the byte", () => x.b.receivedBytes === 1);
      x.a.end();
      await x.until("the end", () => x.b.ended);
      x.b.abort();
      await x.until("the close", () => x.b.closed);
    });
    same(seen, ["bytes maker", "end maker", "close maker"], "contexts");
    await x.finish();
  };
}

/** Ends b, then a behind some last words, of which b holds the first it gets; returns what lets go of them. */
async function endBehind(x: Examiner, hold: (typeof HOLDS)[number]): Promise<() => void> {
  let letGo = (): void => x.b.resume();
  x.b.script.onBytes = () => {
    if (hold === "a pause") return x.b.pause();
    return new Promise<void>((resolve) => {
      letGo = resolve;
    });
  };
  x.startBoth();
  x.b.end();
  await x.until("the end at a", () => x.a.ended);
  x.a.say("last words");
  await x.until("the first bytes", () => x.b.receivedBytes > 0);
  x.a.end();
  await x.quiet();
  return letGo;
}

/** Brings about one call at b, in which `then` runs, once. */
function provoke(x: Examiner, call: (typeof CALLS)[number], then: () => void): void {
  const script: Script = x.b.script;
  script[call] = then;
  x.startBoth();
  if (call === "onBytes") x.a.say("x");
  else if (call === "onEnd") x.a.end();
  else {
    x.a.pause();
    fill(x.b);
    x.a.resume();
  }
}

function fill(side: Side): void {
  const chunk = new Uint8Array(256 * 1024);
  while (side.write(chunk) === chunk.length) {}
}
