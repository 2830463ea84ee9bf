export {
  type CorpusCase,
  type FuzzOptions,
  type FuzzReport,
  fuzzHTTP1,
  parseCorpus,
} from "@tw/http1/testing";
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
export {
  type ConformanceOptions,
  type MakePair,
  type TestRunner,
  type TortureCase,
  type TortureOptions,
  type TransportPair,
  torture,
  transportConformance,
} from "@tw/iostream/testing";
export { ExpectedLogError, ExpectLog, type ExpectLogOptions, expectLog } from "@tw/log/testing";
export {
  MemoryNetwork,
  type NetworkSubject,
  type NetworkTestRunner,
  networkConformance,
} from "@tw/tcp/testing";
export { bindUnusedPort, type UnusedPort } from "./bind-unused-port.js";
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
export type { EndName, SimulatedConnection } from "./network/connection.js";
export type { SimulatedHost } from "./network/host.js";
export type { LinkOptions } from "./network/link.js";
export type { NameFault, Names } from "./network/names.js";
export { SimulatedNetwork, type SimulatedNetworkOptions } from "./network/network.js";
export { Random } from "./network/random.js";
export { type SimulateOptions, type Simulation, simulate } from "./simulate.js";
