export {
  type HostCase,
  type HostSubject,
  hostCases,
  installLoop,
  VirtualHost,
  type VirtualHostOptions,
  type VirtualIdle,
  VirtualIdleError,
  type VirtualLoop,
  virtualLoop,
} from "@tw/ioloop/testing";
export { ExpectedLogError, ExpectLog, type ExpectLogOptions, expectLog } from "@tw/log/testing";
export {
  guardEachTest,
  LeakError,
  LeakGuard,
  type LeakGuardOptions,
  leakGuard,
  type TestHooks,
  watchLeaks,
} from "./leaks/guard.js";
export type { Resource, ResourceKind } from "./leaks/tracker.js";
