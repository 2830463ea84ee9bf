import { afterEach, expect, it, vi } from "vitest";
import { flushLater } from "../src/flush.js";
import { IOStream } from "../src/index.js";
import { ScriptedTransport, TestLoop } from "./helpers.js";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Ticks are the test's: what they throw would end the process. */
function catchTicks(): (() => void)[] {
  const ticks: (() => void)[] = [];
  vi.spyOn(process, "nextTick").mockImplementation((tick) => void ticks.push(tick as () => void));
  return ticks;
}

it("flushLater() serves all in one tick, those that a flush queues too, and asks for one tick again afterwards", () => {
  const ticks = catchTicks();
  const served: string[] = [];
  const last = { flushNow: () => void served.push("last") };
  const first = {
    flushNow: () => {
      served.push("first");
      flushLater(last);
    },
  };
  for (const round of [1, 2]) {
    flushLater(first);
    expect(ticks).toHaveLength(round);
    ticks.at(-1)?.();
  }
  expect(served).toEqual(["first", "last", "first", "last"]);
});

it("flushLater() serves those behind one that throws in another tick", () => {
  const ticks = catchTicks();
  const served: number[] = [];
  const broken = {
    flushNow: () => {
      throw new Error("flush");
    },
  };
  for (const stream of [broken, { flushNow: () => void served.push(1) }, broken]) flushLater(stream);
  expect(ticks[0]).toThrow("flush");
  expect([served, ticks.length]).toEqual([[], 2]);
  expect(ticks[1]).toThrow("flush");
  expect([served, ticks.length]).toEqual([[1], 2]);
  flushLater({ flushNow: () => void served.push(2) });
  ticks[2]?.();
  expect(served).toEqual([1, 2]);
});

it("a logger that throws does not keep a stream open whose receiver threw", () => {
  const loop = new TestLoop();
  vi.spyOn(loop.logger, "error").mockImplementation(() => {
    throw new Error("logger");
  });
  const transport = new ScriptedTransport();
  const stream = new IOStream(transport, { loop });
  stream.attach({
    onBytes: () => {
      throw new Error("receiver");
    },
    onEnd: () => {},
    onDrain: () => {},
    onClose: () => {},
  });
  transport.receiver.onBytes(new Uint8Array(1));
  expect([stream.closed, transport.calls]).toEqual([true, ["abort receiver"]]);
});
