import { expect, it } from "vitest";
import { READ } from "../src/index.js";
import { native, pair, Recorder, turn, turns, until } from "./helpers.js";

native("wake()", (poller) => {
  it("calls the sink with 0, once, and not before this turn is over", async () => {
    const [a, b] = pair(poller);
    const sink = new Recorder();
    const handle = poller.watch(b, READ, sink);
    poller.wake(handle);
    poller.wake(handle);
    expect(sink.seen).toEqual([]);
    await until(() => sink.seen.length > 0);
    await turns();
    expect(sink.seen).toEqual([0]);
    poller.close(handle);
    poller.closeFd(a);
  });

  it("works while nothing is asked of the kernel, and again from within the callback", async () => {
    const [a, b] = pair(poller);
    let left = 5;
    let stack = 0;
    const sink = new Recorder((_, self) => {
      expect(++stack).toBe(1);
      if (--left > 0) poller.wake(self.handle);
      stack--;
    });
    sink.handle = poller.watch(b, 0, sink);
    poller.wake(sink.handle);
    await until(() => left === 0);
    await turns();
    expect(sink.seen).toEqual([0, 0, 0, 0, 0]);
    poller.close(sink.handle);
    poller.closeFd(a);
  });

  it("a stream that wakes itself for ever leaves its neighbours their turn", async () => {
    const [a, b] = pair(poller);
    const [c, d] = pair(poller);
    const greedy = new Recorder((_, self) => poller.wake(self.handle));
    greedy.handle = poller.watch(b, READ, greedy);
    const modest = new Recorder((_, self) => poller.unwatch(self.handle));
    modest.handle = poller.watch(d, READ, modest);
    poller.wake(greedy.handle);
    await turn();
    poller.writev(c, ["x"], 0);
    const before = greedy.seen.length;
    await until(() => modest.seen.length === 1);
    expect(greedy.seen.length - before).toBeLessThan(10);
    poller.unwatch(greedy.handle);
    for (const fd of [a, b, c, d]) poller.closeFd(fd);
  });

  it("more than a batch of wakes: 64 a turn, all of them", async () => {
    const fds = Array.from({ length: 150 }, () => pair(poller));
    let inTurn = 0;
    let most = 0;
    const sinks = fds.map(([, b]) => {
      const sink = new Recorder(() => inTurn++);
      sink.handle = poller.watch(b, READ, sink);
      poller.wake(sink.handle);
      return sink;
    });
    while (sinks.some((sink) => sink.seen.length === 0)) {
      await turn();
      most = Math.max(most, inTurn);
      inTurn = 0;
    }
    expect(most).toBeLessThanOrEqual(64);
    await turns();
    expect(sinks.every((sink) => sink.seen.length === 1)).toBe(true);
    for (const sink of sinks) poller.close(sink.handle);
    for (const [a] of fds) poller.closeFd(a);
  });

  it("is forgotten when its registration ends first", async () => {
    const [a, b] = pair(poller);
    const sink = new Recorder();
    poller.wake(poller.watch(b, READ, sink));
    const handle = (() => {
      const woken = poller.watch(a, READ, sink);
      poller.wake(woken);
      return woken;
    })();
    poller.close(handle);
    const heir = new Recorder();
    const [c, d] = pair(poller);
    const fresh = poller.watch(c, READ, heir);
    await turns();
    expect(sink.seen.filter((events) => events === 0)).toEqual([0]);
    expect(heir.seen).toEqual([]);
    poller.close(fresh);
    for (const fd of [b, d]) poller.closeFd(fd);
  });
});
