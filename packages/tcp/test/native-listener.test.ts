// When descriptors run out, with a poller that says so: how long accepting pauses, what ends the pause, what is said.
import { constants } from "node:os";
import type { IOLoop } from "@tw/ioloop";
import { virtualLoop } from "@tw/ioloop/testing";
import type { NativeEngine } from "@tw/iostream/transports";
import { type Poller, READ } from "@tw/poller";
import type { Logger } from "@tw/util";
import { describe, expect, it } from "vitest";
import { NativeListener } from "../src/native/listener.js";

const { EAGAIN, ECONNABORTED, EMFILE } = constants.errno;

function make() {
  const lines: string[] = [];
  const log = (message: unknown) => void lines.push(String(message));
  const { loop, host } = virtualLoop({ logger: { debug: log, info: log, warn: log, error: log } as Logger });
  const masks: number[] = [];
  const answers: number[] = [];
  let accepts = 0;
  const poller = {
    getsockname: () => ({ address: "127.0.0.1", port: 80, family: 4 }),
    watch: () => 7,
    close: () => 0,
    modify: (_handle: number, mask: number) => masks.push(mask),
    accept: () => {
      accepts++;
      return -(answers.shift() ?? EAGAIN);
    },
    errnoName: (errno: number) =>
      Object.entries(constants.errno).find(([, value]) => value === Math.abs(errno))?.[0],
  } as unknown as Poller;
  const engine = { loop, poller } as unknown as NativeEngine;
  const listener = new NativeListener(engine, 3, () => {});
  return { host, loop: loop as IOLoop, listener, masks, answers, lines, accepts: () => accepts };
}

describe("NativeListener", () => {
  it("takes its interest away when descriptors run out, and puts it back after 100 ms", async () => {
    const { host, listener, masks, answers } = make();
    answers.push(EMFILE);
    listener.onEvents();
    await host.advance(99);
    expect(masks).toEqual([0]);
    await host.advance(1);
    expect(masks).toEqual([0, READ]);
  });

  it("tries again at once when a connection has closed, and not a second time after 100 ms", async () => {
    const { host, listener, masks, answers } = make();
    answers.push(EMFILE);
    listener.onEvents();
    listener.resume();
    expect(masks).toEqual([0, READ]);
    await host.advance(1000);
    expect(masks).toEqual([0, READ]);
  });

  it("warns once, until its queue was empty again", () => {
    const { listener, answers, lines } = make();
    for (let i = 0; i < 3; i++) {
      answers.push(EMFILE);
      listener.onEvents();
      listener.resume();
    }
    expect(lines).toEqual(["accept: EMFILE; pausing for 100 ms or until a connection closes"]);
    listener.onEvents(); // EAGAIN
    answers.push(EMFILE);
    listener.onEvents();
    expect(lines).toHaveLength(2);
  });

  it("goes on when a connection was given up before it was accepted", () => {
    const { listener, answers, accepts } = make();
    answers.push(ECONNABORTED, ECONNABORTED);
    listener.onEvents();
    expect(accepts()).toBe(3);
  });

  it("leaves the rest to the next turn after 64", () => {
    const { listener, answers, accepts } = make();
    answers.push(...Array.from({ length: 100 }, () => ECONNABORTED));
    listener.onEvents();
    expect(accepts()).toBe(64);
  });

  it("pause() ends the wait for descriptors, and close() all of it", async () => {
    const { host, listener, masks, answers } = make();
    answers.push(EMFILE);
    listener.onEvents();
    listener.pause();
    await host.advance(1000);
    expect(masks).toEqual([0, 0]);
    await listener.close();
    listener.resume();
    listener.pause();
    expect(masks).toEqual([0, 0]);
  });

  it("close() while descriptors are short leaves no timer", async () => {
    const { host, listener, masks, answers } = make();
    answers.push(EMFILE);
    listener.onEvents();
    await listener.close();
    await listener.close();
    await host.advance(1000);
    expect(masks).toEqual([0]);
  });
});
