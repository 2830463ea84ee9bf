export { parseCookie, unquoteCookie } from "./cookie.js";
export type {
  BodyChunk,
  ConnectionContext,
  DrainSignal,
  HTTPConnection,
  HTTPMessageDelegate,
  HTTPServerConnectionDelegate,
  MaybePromise,
  UpgradedReceiver,
  UpgradedStream,
} from "./delegates.js";
export {
  CookieError,
  HTTPFieldError,
  HTTPInputError,
  type HTTPInputErrorOptions,
  HTTPOutputError,
  type HTTPOutputErrorOptions,
} from "./errors.js";
export { canonicalName } from "./field-names.js";
export {
  type ForwardedElement,
  type ForwardedNode,
  parseForwarded,
  parseForwardedFor,
  parseForwardedNode,
} from "./forwarded.js";
export { isFieldText, isToken, sameName } from "./grammar.js";
export { HTTPHeaders, type HTTPHeadersInit } from "./headers.js";
export { type HostAndPort, isHost, splitHostAndPort } from "./host.js";
export { parseHTTPDate } from "./http-date.js";
export { ipMatcher, isIp } from "./ip.js";
export { parseSetCookie, type ReceivedCookie } from "./parse-set-cookie.js";
export { HTTPServerRequest } from "./request.js";
export { type CookieAttributes, serializeCookie } from "./set-cookie.js";
export { type RequestStartLine, type ResponseStartLine, reasonPhrase, responses } from "./start-line.js";
export { formatTimestamp } from "./timestamp.js";
export { type QueryArguments, urlConcat } from "./url.js";
