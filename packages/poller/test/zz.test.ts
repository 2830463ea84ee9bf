import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { it } from "vitest";
import { READ } from "../src/index.js";
import { native, pair, pipe, Recorder, turns, until } from "./helpers.js";
native("zz", (poller) => {
  for (const ghost of [true, false]) it(`ghost ${ghost}`, async () => {
    const [reader, writer] = pipe(poller);
    const child = spawn("sleep", ["10"], { stdio: ["ignore", "ignore", "ignore", reader] });
    await new Promise((resolve) => child.once("spawn", resolve));
    poller.writev(writer, ["unread"], 0);
    const stuck = new Recorder();
    const handle = poller.watch(reader, READ, stuck);
    await until(() => stuck.seen.length > 0);
    if (ghost) closeSync(reader);
    poller.unwatch(handle);
    await turns(10);
    const out: unknown[] = [];
    for (let i = 0; i < 30; i++) {
      const f = performance.nodeTiming.uvMetricsInfo.loopCount;
      const e = performance.eventLoopUtilization();
      await new Promise((resolve) => setTimeout(resolve, 10));
      const u = performance.eventLoopUtilization(e);
      out.push([performance.nodeTiming.uvMetricsInfo.loopCount - f, Math.round(u.idle)].join("/"));
    }
    console.log(ghost, out.join(" "));
    child.kill(); poller.closeFd(writer); if (!ghost) poller.closeFd(reader);
  });
});
