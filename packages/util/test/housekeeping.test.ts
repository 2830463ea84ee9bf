import { expect, it } from "vitest";
import { housekeeping, isHousekeeping } from "../src/index.js";

it("housekeeping() marks a callback, and returns it", () => {
  const callback = (): void => {};
  expect(isHousekeeping(callback)).toBe(false);
  expect(housekeeping(callback)).toBe(callback);
  expect(isHousekeeping(callback)).toBe(true);
  expect(Object.keys(callback)).toEqual([]);
});
