export { type SaveOptions, saveTo } from "./body-save.js";
export type { RequestCallback } from "./callback-delegate.js";
export type { DecompressOptions } from "./decompress.js";
export type { ProxyHeaderName } from "./forwarded-client.js";
export { HTTPServer, type HTTPServerOptions } from "./http-server.js";
export type { ProxyOptions } from "./trusted-proxies.js";
