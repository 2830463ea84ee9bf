// What close() ends that is more than this thread: other threads, and the process that they would hold.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);
const packageDir = fileURLToPath(new URL("..", import.meta.url));

async function script(source: string): Promise<string> {
  const args = [
    "--input-type=module",
    "-e",
    `import { IOLoop, PeriodicCallback } from "@tw/ioloop"; ${source}`,
  ];
  const { stdout } = await run(process.execPath, args, { cwd: packageDir, timeout: 20_000 });
  return stdout.trim();
}

describe("close() in a process of its own", () => {
  it("lets it end, whatever the loop was to do", async () => {
    expect(
      await script(`
        const loop = IOLoop.current();
        loop.callLater(3_600_000, () => undefined);
        new PeriodicCallback(() => undefined, 1000, { loop }).start();
        const again = () => loop.addCallback(again);
        again();
        loop.threadHandle({ done: () => undefined }).ref();
        await loop.close();
        console.log(IOLoop.current() !== loop);`),
    ).toBe("true");
  });

  it("ends the watchdog, so that another loop may have one", async () => {
    expect(
      await script(`
        const loop = new IOLoop();
        await loop.setBlockingWatchdog({});
        await loop.close();
        const other = new IOLoop();
        await other.setBlockingWatchdog({});
        console.log(loop.activity, other.activity !== undefined);
        await other.close();`),
    ).toBe("undefined true");
  });

  it("gives up what its own executor has, and waits for the threads", async () => {
    expect(
      await script(`
        const loop = new IOLoop();
        const source = "export const spin = () => { for (;;); }; export const one = () => 1;";
        const module = "data:text/javascript," + encodeURIComponent(source);
        await loop.runInExecutor(undefined, { module, name: "one" });
        const spinning = loop.runInExecutor(undefined, { module, name: "spin" });
        const code = spinning.catch((error) => error.code);
        await loop.close();
        console.log(await code);`),
    ).toBe("ERR_TW_EXECUTOR_CLOSED");
  });

  it("tells the other thread that the loop is gone", async () => {
    expect(
      await script(`
        import { once } from "node:events";
        import { Worker } from "node:worker_threads";
        const loop = new IOLoop();
        const handle = loop.threadHandle({ done: () => console.log("called") });
        const url = import.meta.resolve("@tw/ioloop");
        const worker = new Worker(\`
          const { workerData, parentPort } = require("node:worker_threads");
          import(\${JSON.stringify(url)}).then(({ openLoopHandle }) => {
            const loop = openLoopHandle(workerData.loop);
            parentPort.once("message", () => {
              try { loop.addCallbackFromThread("done"); } catch (error) { parentPort.postMessage(error.code); }
            });
            parentPort.postMessage("open");
          });
        \`, { eval: true, execArgv: [], workerData: { loop: handle }, transferList: [handle.port] });
        await once(worker, "message");
        await loop.close();
        worker.postMessage("now");
        console.log((await once(worker, "message"))[0]);`),
    ).toBe("ERR_TW_HANDLE_CLOSED");
  });
});
