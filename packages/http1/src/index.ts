export type {
  ClosedEvent,
  DataEvent,
  EndEvent,
  HTTP1Event,
  InformationEvent,
  RequestEvent,
  ResponseEvent,
} from "./events.js";
export { HTTP1Machine, type HTTP1Role, type WriteHeadOptions } from "./machine.js";
export { type HTTP1Options, type ResolvedHTTP1Options, resolveHTTP1Options } from "./options.js";
