export type { FinishedRequest } from "./access-log.js";
export { Application } from "./application.js";
export type { ArgumentOptions } from "./arguments.js";
export {
  type BodyIssue,
  ClientGoneError,
  Finish,
  HeadersSentError,
  HTTPError,
  type HTTPErrorOptions,
  InvalidBodyError,
  isHTTPError,
  MissingArgumentError,
  ResponseFinishedError,
} from "./errors.js";
export type { FetchInfo } from "./fetch.js";
export type { RedirectOptions } from "./redirect.js";
export { RequestHandler } from "./request-handler.js";
export type { Respondable } from "./respond.js";
export type { HeaderValue, Writable } from "./responder.js";
export { type Route, type RouteLike, type RouteTuple, route } from "./route.js";
export type { HandlerClass, HandlerContext, Service } from "./route-types.js";
export type { Settings } from "./settings.js";
export type { SchemaResult, StandardSchema } from "./standard-schema.js";
export { errorPage } from "./write-error.js";
