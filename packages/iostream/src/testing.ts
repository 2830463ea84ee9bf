export type { ConformanceOptions, MakePair, TestRunner, TransportPair } from "./testing/examiner.js";
export { transportConformance } from "./testing/suite.js";
export { type TortureCase, type TortureOptions, torture } from "./testing/torture.js";
