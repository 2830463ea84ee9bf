export { inNextTurn } from "./next-turn.js";
export { checkStreamOptions } from "./options.js";
export { checkEngine, chooseEngine } from "./transports/choose-engine.js";
export type { MemoryPairOptions } from "./transports/memory/options.js";
export { MemoryTransport, memoryPair } from "./transports/memory/transport.js";
export {
  type DescriptorKind,
  type NativeEngine,
  NativeTransport,
  nativeEngine,
  type SystemError,
  systemError,
} from "./transports/native/index.js";
export { acceptNodeSocket } from "./transports/node/accept.js";
export { connectNodeSocket, type NodeConnectOptions } from "./transports/node/connect.js";
export { NodeTransport, nodeTransport } from "./transports/node/transport.js";
