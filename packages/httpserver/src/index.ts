export type { AccessLog } from "./access-log.js";
export { type SaveOptions, saveTo } from "./body-save.js";
export type { RequestCallback } from "./callback-delegate.js";
export type { DecompressOptions } from "./decompress.js";
export type { ProxyHeaderName } from "./forwarded-client.js";
export { HTTPServer, type HTTPServerOptions } from "./http-server.js";
export { currentRequest, type RequestContext, type RequestContextOptions } from "./request-context.js";
export type { MakeRequestId, RequestIdOptions } from "./request-id.js";
export type { ProxyOptions } from "./trusted-proxies.js";
