// HTTP hello with a blocking watchdog, where the environment says so.
import { IOLoop } from "@tw/ioloop";

if (process.env.TW_BENCH_WATCHDOG) await IOLoop.current().setBlockingWatchdog({});
await import("../servers/tw-httpserver.mjs");
