// For tests and other networks: the suite that every Network has to pass, what its listeners need, and a network in memory.

export { deliver } from "./deliver.js";
export type { NetworkSubject } from "./testing/examined-network.js";
export { MemoryNetwork } from "./testing/memory-network.js";
export { type NetworkTestRunner, networkConformance } from "./testing/network-conformance.js";
