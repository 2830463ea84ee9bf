// The entry of the watchdog's thread. Loaded by anybody else it does nothing.

import type { Session } from "node:inspector";
import { parentPort, workerData } from "node:worker_threads";
import { ActivityReader } from "./memory.js";
import { Watcher, type WatcherSettings } from "./watcher.js";

/** What the thread is started with. */
export interface WorkerData extends WatcherSettings {
  readonly twWatchdog: true;
  readonly memory: SharedArrayBuffer;
  /**
   * Whether an inspector can reach the loop from here: that of the main thread only, and where Node's permission model
   * allows it.
   */
  readonly reachable: boolean;
}

const data = workerData as WorkerData | null | undefined;
if (data?.twWatchdog === true) watch(data);

async function connect({ reachable }: WorkerData): Promise<Session | undefined> {
  if (!reachable) return undefined;
  try {
    const { Session } = await import("node:inspector");
    const session = new Session();
    session.connectToMainThread();
    return session;
  } catch {
    // Node was built without an inspector.
    return undefined;
  }
}

function watch(data: WorkerData): void {
  connect(data).then((session) => {
    // Whatever goes wrong here, the loop must not stay paused: without a session it is not.
    process.on("uncaughtException", (error) => {
      session?.disconnect();
      parentPort?.postMessage({ failed: error });
      process.exit();
    });
    const reader = new ActivityReader(data.memory);
    // The process is ending, and would wait for this session with a word on stderr.
    parentPort?.once("message", () => {
      session?.disconnect();
      reader.leave();
      process.exit();
    });
    const watcher = new Watcher(reader, session, data, (report) => parentPort?.postMessage({ report }));
    watcher.start(() => parentPort?.postMessage({ started: true }));
  });
}
