// The delegates that a server puts around the one it was given, outermost first:
//
//   who the client is ──► what its request is called ──► the access log ──► what its body decodes to ──► the delegate

import { type HTTPServerConnectionDelegate, resolveParseBodyConfig } from "@tw/httputil";
import type { IOLoop } from "@tw/ioloop";
import { AccessLogDelegate, hasAccessLog } from "./access-log.js";
import { streamingDelegate } from "./body-delegate.js";
import { callbackDelegate, type RequestCallback } from "./callback-delegate.js";
import { DecompressDelegate } from "./decompress.js";
import type { HTTPServerOptions } from "./options.js";
import { RequestContextDelegate } from "./request-context.js";
import { hasProxies, ProxyDelegate } from "./trusted-proxies.js";

/** Puts around `delegate` what the options ask for: first who the client is, then what its request is called, and so on. */
export function around(
  delegate: HTTPServerConnectionDelegate,
  loop: IOLoop,
  options: HTTPServerOptions,
): HTTPServerConnectionDelegate {
  const { decompressRequest = false, accessLog, requestContext = false, logger = loop.logger } = options;
  let outer = delegate;
  if (decompressRequest !== false) outer = new DecompressDelegate(outer, decompressRequest);
  if (hasAccessLog(accessLog)) outer = new AccessLogDelegate(outer, accessLog, loop, logger);
  if (requestContext !== false) outer = new RequestContextDelegate(outer, requestContext, logger);
  return hasProxies(options) ? new ProxyDelegate(outer, options) : outer;
}

/** Makes a delegate of whatever a server is given. @throws TypeError for what is none */
export function asDelegate(
  target: RequestCallback | HTTPServerConnectionDelegate,
  options: HTTPServerOptions,
): HTTPServerConnectionDelegate {
  const { streamRequestBody = false, parseBodyConfig: config } = options;
  if (typeof streamRequestBody !== "boolean") throw new TypeError("streamRequestBody must be a boolean");
  resolveParseBodyConfig(config);
  if (typeof target === "function")
    return streamRequestBody ? streamingDelegate(target, config) : callbackDelegate(target, config);
  if (typeof target?.startRequest !== "function")
    throw new TypeError("HTTPServer takes a function (request) or an object with startRequest()");
  if (streamRequestBody)
    throw new TypeError("streamRequestBody is for a callback: a delegate streams anyway");
  return target;
}
