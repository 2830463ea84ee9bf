export { type SaveOptions, saveTo } from "./body-save.js";
export type { RequestCallback } from "./callback-delegate.js";
export { HTTPServer, type HTTPServerOptions } from "./http-server.js";
