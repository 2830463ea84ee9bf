import { describe, expect, it } from "vitest";
import {
  Activity,
  ActivityReader,
  CALLBACK,
  HANDLER,
  MAX_NAMES,
  makeMemory,
  NAMES_PER_PULSE,
  TIMER,
} from "../src/watchdog/memory.js";

function pair() {
  const memory = makeMemory();
  return { activity: new Activity(memory), reader: new ActivityReader(memory) };
}
const named = (name: unknown) => ({ name }) as { readonly name: string };

describe("Activity", () => {
  it("tells kind and name of what runs, and nothing when it has returned", () => {
    const { activity, reader } = pair();
    for (const [kind, word] of [
      [CALLBACK, "callback"],
      [TIMER, "timer"],
      [HANDLER, "handler"],
    ] as const) {
      activity.begin(kind, named(`a ${word}`));
      expect(reader.running()).toEqual({ kind: word, name: `a ${word}`, label: "" });
    }
    activity.leave();
    expect(reader.running()).toEqual({ kind: "outside", name: "", label: "" });
  });

  it("moves the counter with each beginning, end and pulse", () => {
    const { activity, reader } = pair();
    const seen = [reader.seq];
    for (const step of [() => activity.enter(seen.push), () => activity.leave(), () => activity.pulse()]) {
      step();
      seen.push(reader.seq);
    }
    expect(new Set(seen).size).toBe(4);
  });

  it("does not take the name of the last function for that of the next, also behind a pulse", () => {
    const { activity, reader } = pair();
    const [one, two] = [named("one"), named("two")];
    const names = [one, two, two, one].map((fn) => {
      activity.begin(CALLBACK, fn);
      return reader.running().name;
    });
    activity.pulse();
    activity.begin(CALLBACK, two);
    expect([...names, reader.running().name]).toEqual(["one", "two", "two", "one", "two"]);
  });

  it("keeps a label until what it labels returns", () => {
    const { activity, reader } = pair();
    activity.enter(named("serve"));
    activity.describe("GET /ü");
    expect(reader.running().label).toBe("GET /ü");
    activity.leave();
    activity.enter(named("serve"));
    expect(reader.running().label).toBe("");
  });

  it("cuts labels at 256 bytes and names at 63, between characters", () => {
    const { activity, reader } = pair();
    activity.enter(named("ü".repeat(32)));
    activity.describe("x".repeat(257));
    expect(reader.running()).toMatchObject({ name: "ü".repeat(31), label: "x".repeat(256) });
    activity.enter(named("n".repeat(63)));
    expect(reader.running().name).toBe("n".repeat(63));
  });

  it("joins the parts of a label, whatever is ASCII of them, up to 256 bytes of UTF-8", () => {
    const { activity, reader } = pair();
    const labels: readonly (readonly string[])[] = [
      ["GET", " ", "/a"],
      ["GET", "", "/é", "/b", "/🙂", "?"],
      ["x".repeat(255), "é", "y"],
      ["x".repeat(254), "é", "y"],
      ["x".repeat(256), "y"],
      ["", ""],
    ];
    for (const [first = "", ...more] of labels) {
      activity.enter(named("f"));
      activity.describe(first, ...more);
      const whole = Buffer.alloc(256);
      const length = whole.write([first, ...more].join(""), "utf8");
      const { label } = reader.running();
      // Of a character that has no room nothing is written; what follows it may.
      if (first.length === 255) expect(label).toBe(`${"x".repeat(255)}y`);
      else expect(label).toBe(whole.toString("utf8", 0, length));
    }
  });

  it("knows 1000 names, and calls the functions of further ones nameless", () => {
    const { activity, reader } = pair();
    for (let i = 1; i <= MAX_NAMES + 1; i++) activity.enter(named(`n${i}`));
    expect(reader.running().name).toBe("");
    activity.enter(named(`n${MAX_NAMES}`));
    expect(reader.running().name).toBe(`n${MAX_NAMES}`);
    activity.enter(named("n1"));
    expect(reader.running().name).toBe("n1");
  });

  it("reads 2000 names between two pulses, and calls what comes later nameless until the next", () => {
    const { activity, reader } = pair();
    const [one, two] = [named("one"), named("two")];
    for (let i = 0; i < NAMES_PER_PULSE; i++) activity.enter(i % 2 ? two : one);
    expect(reader.running().name).toBe("two");
    activity.enter(one);
    expect(reader.running().name).toBe("");
    activity.pulse();
    activity.enter(one);
    expect(reader.running().name).toBe("one");
  });

  it("takes a function whose name is no text for one without a name", () => {
    const { activity, reader } = pair();
    for (const name of [undefined, 7, Symbol("x"), { toString: () => "x" }]) {
      activity.enter(named(name));
      expect(reader.running().name).toBe("");
    }
  });
});
