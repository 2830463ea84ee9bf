export type { MemoryPairOptions } from "./transports/memory/options.js";
export { MemoryTransport, memoryPair } from "./transports/memory/transport.js";
