export type { DescriptorKind } from "./descriptor.js";
export { type NativeEngine, nativeEngine } from "./engine.js";
export { type SystemError, systemError } from "./errno.js";
export { NativeTransport } from "./transport.js";
