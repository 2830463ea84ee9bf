export { AsyncHTTPClient, type AsyncHTTPClientOptions } from "./async-http-client.js";
export { HTTPClientError, HTTPStreamClosedError, HTTPTimeoutError } from "./errors.js";
export type { FetchOptions, HTTPRequest } from "./request.js";
export { HTTPResponse } from "./response.js";
