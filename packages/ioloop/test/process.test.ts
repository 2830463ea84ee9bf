// What only a process of its own can show: how long it lives, what a signal does, what two copies and threads share.

import { execFile, spawn } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { loadPoller } from "@tw/poller";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);
const packageDir = fileURLToPath(new URL("..", import.meta.url));

/** Runs an ESM script beside this package; resolves with its output, rejects when it does not exit with 0. */
async function script(source: string): Promise<string> {
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", source], {
    cwd: packageDir,
    timeout: 10_000,
  });
  return stdout.trim();
}

const head = `import { IOLoop, READ } from "@tw/ioloop"; const loop = IOLoop.current();`;

describe("how long the process lives", () => {
  it("start() alone holds it until stop(), and it ends by itself afterwards", async () => {
    expect(
      await script(`${head}
        loop.callLater(30, () => loop.stop()).unref();
        await loop.start();
        console.log("stopped");`),
    ).toBe("stopped");
  });

  it("what another thread had sent before it ended is run, and whenClosed settles, although the handle holds nobody", async () => {
    expect(
      await script(`${head}
        import { Worker } from "node:worker_threads";
        let ran = 0;
        const handle = loop.threadHandle({ n: () => { ran++; } });
        const entry = new URL("test/fixtures/executor/sender.mjs", "file://" + process.cwd() + "/");
        const worker = new Worker(entry, { execArgv: [], workerData: { loop: handle }, transferList: [handle.port] });
        for (const what of [["burst", "n", 5000], ["leave"]]) worker.postMessage(what);
        await handle.whenClosed;
        loop.addCallback(() => console.log(ran));`),
    ).toBe("5000");
  });

  it("a handle whose thread lives on, and whose callbacks have all run, does not hold it", async () => {
    expect(
      await script(`${head}
        import { openLoopHandle } from "@tw/ioloop";
        const hold = setInterval(() => undefined, 1000);
        const handle = loop.threadHandle({
          n: (i) => {
            console.log(i);
            if (i === 2) clearInterval(hold);
          },
        });
        const remote = openLoopHandle(handle);
        for (let i = 0; i < 3; i++) remote.addCallbackFromThread("n", i);
        process.on("exit", () => console.log("exit", handle.closed));`),
    ).toBe("0\n1\n2\nexit false");
  });

  it("a pending timer holds it, one that is unref'd or removed does not", async () => {
    expect(
      await script(`${head}
        loop.callLater(20, () => console.log("fired"));
        loop.callLater(3_600_000, () => console.log("never")).unref();
        loop.removeTimeout(loop.callLater(3_600_000, () => console.log("never")));`),
    ).toBe("fired");
  });

  it("callbacks hold it until they ran, and those they add", async () => {
    expect(await script(`${head} loop.addCallback(() => loop.addCallback(() => console.log("ran")));`)).toBe(
      "ran",
    );
  });

  it("exceptions in callbacks do not end it", async () => {
    expect(
      await script(`${head}
        loop.addCallback(() => { throw new Error("x"); });
        loop.callLater(1, () => Promise.reject(new Error("y")));
        loop.callLater(20, () => console.log("alive"));`),
    ).toBe("alive");
  });

  it.skipIf(loadPoller() === undefined)("a handler holds it, one that is unref'd does not", async () => {
    const source = (rest: string) => `${head}
      const [a, b] = loop.poller.socketpair();
      const handler = loop.addHandler(a, (fd) => { loop.removeHandler(fd); console.log("ready"); }, READ);
      ${rest}`;
    expect(await script(source(`loop.callLater(20, () => loop.poller.writev(b, ["x"], 0));`))).toBe("ready");
    expect(
      await script(
        // So late that a process which nothing holds has ended.
        source(`handler.unref(); loop.callLater(5000, () => loop.poller.writev(b, ["x"], 0)).unref();`),
      ),
    ).toBe("");
  });
});

describe("signals", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "%s runs the stop hooks and the process ends with 0",
    async (signal) => {
      const child = spawn(
        process.execPath,
        [
          "--input-type=module",
          "-e",
          `${head}
        loop.onStop(async (name) => {
          await new Promise((resolve) => loop.callLater(10, resolve));
          console.log("drained on " + name);
        });
        loop.addCallback(() => console.log("up"));
        await loop.start();
        console.log("end, " + process.listenerCount("${signal}"));`,
        ],
        { cwd: packageDir, stdio: ["ignore", "pipe", "inherit"] },
      );
      let output = "";
      child.stdout.on("data", (data: Buffer) => {
        output += data;
        if (output === "up\n") child.kill(signal);
      });
      const code = await new Promise((resolve) => child.on("close", (status, by) => resolve(status ?? by)));
      expect([output, code]).toEqual([`up\ndrained on ${signal}\nend, 0\n`, 0]);
    },
  );

  it("with signals: false end the process as ever", async () => {
    const child = spawn(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `${head} loop.addCallback(() => console.log("up")); await loop.start({ signals: false });`,
      ],
      { cwd: packageDir, stdio: ["ignore", "pipe", "inherit"] },
    );
    child.stdout.on("data", () => child.kill("SIGTERM"));
    expect(await new Promise((resolve) => child.on("close", (status, by) => resolve(status ?? by)))).toBe(
      "SIGTERM",
    );
  });
});

/** Runs a script that has `One` and `Two`, the classes of two copies of this package. */
async function ofTwoCopies(source: string): Promise<string> {
  // Inside the package, so that the copy finds what the package depends on.
  const copy = await mkdtemp(join(packageDir, "node_modules", ".copy-"));
  try {
    await cp(join(packageDir, "dist"), copy, { recursive: true });
    return await script(`
      import { IOLoop as One } from "@tw/ioloop";
      import { IOLoop as Two } from ${JSON.stringify(join(copy, "index.js"))};
      ${source}`);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

describe("IOLoop.current()", () => {
  it("is one loop for two copies of the package, and each can remove the other's timers", async () => {
    expect(
      await ofTwoCopies(`
        const timer = One.current().callLater(60_000, () => undefined);
        Two.current().removeTimeout(timer);
        console.log(One !== Two, One.current() === Two.current(), timer.pending);`),
    ).toBe("true true false");
  });

  it("one watchdog watches a thread, whichever of two copies has it; the other may when that has ended", async () => {
    expect(
      await ofTwoCopies(`
        const codeOf = async (loop) => {
          try {
            await loop.setBlockingWatchdog({});
            return "watches";
          } catch (error) {
            return error.code;
          }
        };
        const one = new One(), two = new Two();
        const said = [await codeOf(one), await codeOf(one), await codeOf(two)];
        await one.setBlockingWatchdog(undefined);
        said.push(await codeOf(two), await codeOf(one));
        await two.setBlockingWatchdog(undefined);
        console.log(said.join(" "));`),
    ).toBe("watches watches ERR_TW_WATCHDOG_EXISTS watches ERR_TW_WATCHDOG_EXISTS");
  });

  it("is a loop of its own in each worker thread, which works there and lets the thread end", async () => {
    const worker = `
      import { parentPort } from "node:worker_threads";
      ${head}
      globalThis.here = loop;
      loop.callLater(5, () => parentPort.postMessage(loop === IOLoop.current()));`;
    expect(
      await script(`
        import { Worker } from "node:worker_threads";
        ${head}
        const worker = new Worker(new URL("data:text/javascript," + encodeURIComponent(${JSON.stringify(
          worker.replace('"@tw/ioloop"', JSON.stringify(new URL("../dist/index.js", import.meta.url).href)),
        )})));
        worker.on("message", (said) => console.log(said));
        worker.on("exit", (code) => console.log("exit", code));`),
    ).toBe("true\nexit 0");
  });

  it("is not listed among the globals", async () => {
    expect(
      await script(`const before = Object.keys(globalThis).length; ${head}
      console.log(Object.keys(globalThis).length - before);`),
    ).toBe("0");
  });
});

it("each entry can be required, exports these names and no others, and starts nothing when loaded", async () => {
  const out = await script(`
    import { createRequire } from "node:module";
    const require = createRequire(process.cwd() + "/test/");
    for (const entry of ["@tw/ioloop", "@tw/ioloop/testing"]) console.log(Object.keys(require(entry)).join(" "));
    console.log(process.getActiveResourcesInfo().filter((name) => /Timeout|Immediate|Signal/.test(name)).length);`);
  expect(out.split("\n")).toEqual([
    "ERROR ExecutorError HandlerError IOLoop LazyAsyncResource LoopClosedError LoopHandleError LoopRunningError LoopStoppedError " +
      "MAX_DELAY_MS MAX_PENDING MAX_QUEUE NoPollerError NodeHost PeriodicCallback READ RunTimeoutError " +
      "STOP_TIMEOUT_MS ThreadPoolExecutor WRITE WatchdogError WorkerCrashedError executorFrom observe openLoopHandle " +
      "tasksOf transferring",
    "VirtualHost VirtualIdleError hostCases installLoop virtualLoop",
    "0",
  ]);
});
