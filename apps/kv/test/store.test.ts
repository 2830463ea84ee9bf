import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { dice } from "@tw/tooling-testing/dice";
import { describe, expect, it } from "vitest";
import { splitInline } from "../src/resp/inline.js";
import { globMatches } from "../src/store/glob.js";
import { addIntegers, parseInteger } from "../src/store/integers.js";
import { Store } from "../src/store/store.js";

/** Of what can be reached. */
function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

function storeAt(): { store: Store; clock: { now: number } } {
  const clock = { now: 1000 };
  return { store: new Store(() => clock.now), clock };
}

describe("Store", () => {
  it("a key is there until its time, and not at it", () => {
    const { store, clock } = storeAt();
    store.set("a", "1", 2000);
    clock.now = 1999;
    expect([store.get("a"), store.expiresAt("a"), [...store.keys()]]).toEqual(["1", 2000, ["a"]]);
    clock.now = 2000;
    expect([store.get("a"), store.has("a"), store.delete("a"), [...store.keys()]]).toEqual([
      undefined,
      false,
      false,
      [],
    ]);
    expect([store.size, store.expiring, store.weight]).toEqual([0, 0, 0]);
  });

  it("set() takes the time away, unless it is to keep it", () => {
    const { store } = storeAt();
    store.set("a", "1", 2000);
    store.set("a", "2", "keep");
    expect(store.expiresAt("a")).toBe(2000);
    store.set("a", "3");
    expect([store.expiresAt("a"), store.expiring]).toEqual([0, 0]);
  });

  it("append() makes one text of many, keeps the time of the key, and weighs what they weigh", () => {
    const { store } = storeAt();
    store.set("a", "", 2000);
    for (let i = 0; i < 1000; i++) store.append("a", String(i % 10));
    store.append("b", "begun");
    expect([store.get("a"), store.get("b")]).toEqual(["0123456789".repeat(100), "begun"]);
    expect(store.expiresAt("a")).toBe(2000);
    const { store: other } = storeAt();
    other.set("a", "0123456789".repeat(100));
    other.set("b", "begun");
    expect(store.weight).toBe(other.weight);
  });

  it("append() of single bytes keeps little more than the bytes", () => {
    const { store } = storeAt();
    const before = heapUsed();
    for (let i = 0; i < 500_000; i++) store.append("a", "x");
    // As a tree of its pieces it would be 16 MB.
    expect(heapUsed() - before).toBeLessThan(4_000_000);
    expect(store.get("a")).toHaveLength(500_000);
  });

  it("weighs nothing when everything is gone, whatever happened", () => {
    const { store, clock } = storeAt();
    const random = dice(3);
    for (let i = 0; i < 5000; i++) {
      const key = `k${random(50)}`;
      clock.now += random(3);
      const value = store.get(key);
      if (random(3) === 0)
        store.set(key, "x".repeat(random(9)), random(2) === 0 ? clock.now + random(20) : "keep");
      else if (random(4) === 0) store.delete(key);
      else if (random(9) === 0) store.sweep();
      else if (typeof value !== "string") {
        const hash = store.hash(key) as Map<string, string>;
        const field = `f${random(4)}`;
        if (random(2) === 0 || hash.size === 0) store.setField(hash, field, "y".repeat(random(9)));
        else store.deleteField(key, hash, field);
      }
    }
    expect(store.weight).toBeGreaterThan(0);
    for (const key of [...store.keys()]) store.delete(key);
    clock.now += 1000;
    while (store.expiring > 0) store.sweep();
    expect([store.size, store.weight]).toEqual([0, 0]);
  });

  it("sweep() finds all that is due, some at a time", () => {
    const { store, clock } = storeAt();
    for (let i = 0; i < 1000; i++) store.set(`k${i}`, "v", i % 2 === 0 ? 2000 : 9000);
    clock.now = 2000;
    expect(store.sweep()).toBeLessThanOrEqual(200);
    for (let i = 0; i < 12; i++) store.sweep();
    expect([store.size, store.expiring]).toEqual([500, 500]);
  });

  it("an iteration sees every key that is there throughout", () => {
    const { store } = storeAt();
    for (let i = 0; i < 100; i++) store.set(`k${i}`, "v");
    const keys = store.keys();
    const seen = new Set<string>();
    for (let i = 0; i < 30; i++) seen.add(keys.next().value as string);
    for (let i = 0; i < 100; i += 3) store.delete(`k${i}`);
    for (let i = 0; i < 50; i++) store.set(`new${i}`, "v");
    for (const key of keys) seen.add(key);
    for (let i = 0; i < 100; i++) if (i % 3 !== 0) expect(seen.has(`k${i}`)).toBe(true);
  });
});

describe("globMatches()", () => {
  it.each([
    ["*", "", true],
    ["a*c", "abbbc", true],
    ["a*c", "abbbd", false],
    ["h?llo", "hello", true],
    ["h?llo", "hllo", false],
    ["h[ae]llo", "hallo", true],
    ["h[^e]llo", "hello", false],
    ["h[a-c]llo", "hbllo", true],
    ["h[c-a]llo", "hbllo", true],
    ["a\\*b", "a*b", true],
    ["a\\*b", "axb", false],
    ["[\\]]", "]", true],
    ["*a*b*", "xxaxxbxx", true],
    ["**", "x", true],
    ["", "", true],
    ["", "x", false],
    ["a\\", "a\\", true],
    ["[a", "a", true],
    ["[a-]x]", "_", true],
    ["[a-]x]", "a", true],
    ["[\\a-c]", "b", false],
    ["[\\a-c]", "-", true],
  ])("%j and %j: %s", (pattern, text, matches) => {
    expect(globMatches(pattern, text)).toBe(matches);
  });

  it("takes many stars in its stride", () => {
    expect(globMatches(`${"*a".repeat(200)}b`, "a".repeat(5000))).toBe(false);
  });
});

describe("integers", () => {
  it("are read as Redis reads them", () => {
    expect(["0", "-1", "12345"].map(parseInteger)).toEqual([0, -1, 12345]);
    expect(parseInteger("9223372036854775807")).toBe(2n ** 63n - 1n);
    for (const text of [
      "",
      "-",
      "-0",
      "01",
      "+1",
      " 1",
      "1.0",
      "1e3",
      "9223372036854775808",
      "-9223372036854775809",
      "x",
    ])
      expect([text, parseInteger(text)]).toEqual([text, undefined]);
  });

  it("are added up to 64 bits", () => {
    expect(addIntegers(1, 2)).toBe(3);
    expect(addIntegers(2n ** 63n - 2n, 1)).toBe(2n ** 63n - 1n);
    expect(addIntegers(2n ** 63n - 1n, 1)).toBeUndefined();
    expect(addIntegers(-(2n ** 63n), -1)).toBeUndefined();
  });
});

it("words of a line that are kept weigh what they say, and not the line or the characters one by one", () => {
  const before = heapUsed();
  const kept: unknown[] = [];
  const filler = " ".repeat(30_000);
  for (let i = 0; i < 100; i++)
    kept.push(splitInline(`SET ${i}${filler} ${"v".repeat(10_000)} "${"q".repeat(10_000)}"`)?.slice(1));
  // 2 MB are what they say: 3 MB more would be the lines they came in, and 32 MB a tree for each word.
  expect(heapUsed() - before).toBeLessThan(3_500_000);
  expect(kept[99]).toEqual(["99", "v".repeat(10_000), "q".repeat(10_000)]);
});
