// Whatever user code the loop calls, the watchdog knows by its name while it runs.

import { afterEach, beforeEach, expect, it } from "vitest";
import { IOLoop, openLoopHandle, PeriodicCallback } from "../src/index.js";
import { virtualLoop } from "../src/testing.js";
import { setActivity } from "../src/watchdog/activity.js";
import { Activity, ActivityReader, makeMemory } from "../src/watchdog/memory.js";
import { recorder } from "./support.js";

const memory = makeMemory();
const reader = new ActivityReader(memory);

beforeEach(() => setActivity(new Activity(memory)));
afterEach(() => setActivity(undefined));

type Begin = (loop: IOLoop, mine: () => unknown, signal: () => void) => void;

it.each<[string, string, Begin]>([
  ["a callback", "callback", (loop, mine) => loop.addCallback(mine)],
  [
    "a callback with arguments",
    "callback",
    (loop, mine) => loop.addCallback(mine as (n: number) => unknown, 1),
  ],
  ["a callback after a poll", "callback", (loop, mine) => loop.afterPoll(mine)],
  ["the callback of a future", "callback", (loop, mine) => loop.addFuture(Promise.resolve(), mine)],
  ["a timer", "timer", (loop, mine) => void loop.callLater(0, mine)],
  ["main", "callback", (loop, mine) => void loop.run(mine)],
  [
    "a stop hook",
    "callback",
    (loop, mine, signal) => {
      loop.onStop(mine);
      void loop.start();
      signal();
    },
  ],
])("%s", async (_, kind, begin) => {
  const { loop, host } = virtualLoop();
  const seen: unknown[] = [];
  begin(
    loop,
    function mine() {
      seen.push(reader.running());
    },
    () => host.signal("SIGTERM"),
  );
  await host.advance(1);
  expect(seen).toEqual([{ kind, name: "mine", label: "" }]);
  expect(reader.running()).toEqual({ kind: "outside", name: "", label: "" });
});

it("a periodic callback", async () => {
  const { loop, host } = virtualLoop();
  const seen: unknown[] = [];
  new PeriodicCallback(
    function mine() {
      seen.push(reader.running());
    },
    1,
    { loop },
  ).start();
  await host.advance(1);
  expect(seen).toEqual([{ kind: "timer", name: "mine", label: "" }]);
});

it("a callback of another thread, which the error hook is told, too", async () => {
  const seen: unknown[] = [];
  const error = new Error("broken");
  const heard: unknown[] = [];
  const loop = new IOLoop({ logger: recorder(), onCallbackError: (...told) => void heard.push(told) });
  const callbacks = {
    throwing: function mine() {
      seen.push(reader.running());
      throw error;
    },
    rejecting: () => Promise.reject(error),
  };
  const handle = loop.threadHandle(callbacks);
  const remote = openLoopHandle(handle);
  remote.addCallbackFromThread("throwing");
  remote.addCallbackFromThread("rejecting");
  await expect
    .poll(() => heard)
    .toEqual([
      [error, callbacks.throwing],
      [error, callbacks.rejecting],
    ]);
  expect(seen).toEqual([{ kind: "callback", name: "mine", label: "" }]);
  handle.close();
});

it("nothing once it has thrown", async () => {
  const { loop, host } = virtualLoop({ logger: recorder() });
  const fail = () => {
    throw new Error("broken");
  };
  loop.onStop(fail);
  void loop.start();
  host.signal("SIGTERM");
  expect(reader.running().kind).toBe("outside");
  await host.advance(1);
  await expect(host.run(() => loop.run(fail))).rejects.toThrow("broken");
  expect(reader.running().kind).toBe("outside");
});
