export { type NativeEngine, nativeEngine } from "./engine.js";
export { type SystemError, systemError } from "./errno.js";
export { type DescriptorKind, NativeTransport } from "./transport.js";
