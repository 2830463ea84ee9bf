import { expect, it } from "vitest";
import { rejected } from "../src/index.js";

it("rejected() rejects with what it was given, and is nobody's unhandled rejection", async () => {
  const reason = new Error("no");
  await expect(rejected(reason)).rejects.toBe(reason);
  await expect(rejected(undefined)).rejects.toBeUndefined();
  rejected(reason); // one that is reported fails the run
  await new Promise((resolve) => setTimeout(resolve, 0));
});
