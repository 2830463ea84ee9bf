// Preloaded into the servers whose memory is measured: `gc` on stdin collects all garbage, then prints `collected`.
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";

createInterface({ input: process.stdin }).on("line", async (line) => {
  if (line !== "gc") return;
  // Finalizers and weak references are worked off between collections.
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    await setTimeout(100);
  }
  console.log("collected");
});
