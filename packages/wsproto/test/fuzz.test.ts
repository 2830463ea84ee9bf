import { expect, test } from "vitest";
import type { WebSocketEvent } from "../src/index.js";
import { corpus, describeEvent, feed, generator, machineOf, randomly } from "./helpers.js";

const last = (events: readonly WebSocketEvent[]): boolean =>
  events.slice(0, -1).every((event) => event.type !== "fail" && event.type !== "close");

test("for all bytes: events, at most one failure or close and that last, never an error", () => {
  const random = generator(42);
  const seeds = corpus("frames.md")
    .map((entry) => entry.bytes)
    .filter((bytes) => bytes.length < 1000);
  const failures = new Set<string>();
  for (let round = 0; round < 4000; round++) {
    const parts = Array.from(
      { length: 1 + Math.floor(random() * 4) },
      () => seeds[Math.floor(random() * seeds.length)],
    );
    const bytes = Buffer.concat(parts as Uint8Array[]);
    for (let hits = Math.floor(random() * 4); hits > 0; hits--)
      bytes[Math.floor(random() * bytes.length)] = random() * 256;
    const role = round % 2 ? "client" : "server";
    const options = { maxMessageSize: 300, maxFragments: 5 };
    const whole = feed(machineOf(role, options), [bytes]);
    expect(last(whole)).toBe(true);
    // Chopping the input never changes the events.
    expect(feed(machineOf(role, options), randomly(bytes, round))).toEqual(whole);
    const end = whole.at(-1);
    if (end?.type === "fail") failures.add(end.reason.replace(/\d+/, "n"));
  }
  // The fuzzer gets everywhere: each way to fail has been seen.
  expect(failures.size).toBeGreaterThanOrEqual(14);
});

test("what one end sends, the other receives, whatever it is and however it is cut", () => {
  const random = generator(5);
  for (let round = 0; round < 200; round++) {
    const role = round % 2 ? "client" : "server";
    const sender = machineOf(role, {
      maskingKey: () => Math.floor(random() * 2 ** 32),
      fragmentSize: random() < 0.5 ? 1 + Math.floor(random() * 300) : 1e9,
    });
    const expected: string[] = [];
    const chunks: (Uint8Array | string)[] = [];
    const send = (event: WebSocketEvent, sent: readonly (Uint8Array | string)[]) => {
      expected.push(describeEvent(event));
      chunks.push(...sent);
    };
    for (let i = 0; i < 5; i++) {
      const bytes = Uint8Array.from({ length: Math.floor(random() ** 6 * 9_000) }, (_, at) => at * round);
      const text = "aé€😀".repeat(bytes.length / 4);
      const short = bytes.slice(0, 125);
      const kind = Math.floor(random() * 4);
      if (kind === 0) send({ type: "text", text }, sender.sendText(text));
      else if (kind === 1) send({ type: "binary", bytes }, sender.sendBinary(bytes));
      else if (kind === 2) send({ type: "ping", bytes: short }, sender.ping(short));
      else send({ type: "pong", bytes: short }, sender.pong(short));
    }
    send({ type: "close", code: 4000, reason: "€" }, sender.close(4000, "€"));
    const wire = Buffer.concat(
      chunks.map((chunk) => (typeof chunk === "string" ? Buffer.from(chunk, "latin1") : chunk)),
    );
    const received = feed(machineOf(role === "client" ? "server" : "client"), randomly(wire, round));
    expect(received.map(describeEvent)).toEqual(expected);
  }
});
