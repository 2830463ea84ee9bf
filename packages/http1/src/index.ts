export type { HTTP1Role } from "./cycle.js";
export type {
  ClosedEvent,
  DataEvent,
  EndEvent,
  HTTP1Event,
  InformationEvent,
  RequestEvent,
  ResponseEvent,
} from "./events.js";
export type { WriteHeadOptions } from "./head-framing.js";
export { HTTP1Machine } from "./machine.js";
export { type HTTP1Options, type ResolvedHTTP1Options, resolveHTTP1Options } from "./options.js";
