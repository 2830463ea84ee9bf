export type { RequestCallback } from "./callback-delegate.js";
export { HTTPServer, type HTTPServerOptions } from "./http-server.js";
