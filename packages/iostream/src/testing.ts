export type { MakePair, TestRunner, TransportPair } from "./testing/examiner.js";
export { transportConformance } from "./testing/suite.js";
