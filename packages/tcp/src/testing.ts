// For tests: the suite that every Network has to pass, and a network in memory.

export type { NetworkSubject } from "./testing/examined-network.js";
export { MemoryNetwork } from "./testing/memory-network.js";
export { type NetworkTestRunner, networkConformance } from "./testing/network-conformance.js";
