// For tests: the suite that every Network has to pass, and a network in memory.

export { MemoryNetwork } from "./testing/memory-network.js";
export {
  type NetworkSubject,
  type NetworkTestRunner,
  networkConformance,
} from "./testing/network-conformance.js";
