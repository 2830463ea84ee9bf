import { expect, it } from "vitest";
import { Deferred } from "../src/index.js";

it("Deferred resolves with what it was given, once", async () => {
  const deferred = new Deferred<number>();
  deferred.resolve(1);
  deferred.resolve(2);
  deferred.reject(new Error("late"));
  await expect(deferred.promise).resolves.toBe(1);
});

it("Deferred rejects, and its ends work when passed around alone", async () => {
  const { promise, reject } = new Deferred();
  reject(new Error("no"));
  await expect(promise).rejects.toThrow("no");
});

it("Deferred follows a promise it was resolved with", async () => {
  const outer = new Deferred<string>();
  outer.resolve(Promise.resolve("inner"));
  await expect(outer.promise).resolves.toBe("inner");
});
