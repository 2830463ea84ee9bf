export { trimBlanks } from "@tw/util";
export { acceptsLanguages } from "./accept-language.js";
export { addressRequest, checkURL, type URLAuthority } from "./address-request.js";
export { BodyStream } from "./body/body-stream.js";
export { BodyAbortedError, BodyUsedError } from "./body/errors.js";
export {
  type ConditionalRequest,
  evaluatePreconditions,
  ifRangeMatches,
  type Validators,
} from "./conditions.js";
export { parseCookie, unquoteCookie } from "./cookie.js";
export { encodeUsernamePassword } from "./credentials.js";
export type {
  AnswerEnd,
  AnswerObserver,
  BodyChunk,
  CertificateFacts,
  ConnectionContext,
  DrainSignal,
  FileRange,
  HTTPConnection,
  HTTPMessageDelegate,
  HTTPServerConnectionDelegate,
  MaybePromise,
  Refusal,
  TLSFacts,
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
export { type EntityTag, parseETag, parseETagList, sameStrongly, sameWeakly } from "./etag.js";
export { canonicalName } from "./field-names.js";
export {
  argumentTexts,
  decodeFormText,
  joinArguments,
  parseQueryArguments,
  type RequestArguments,
} from "./forms/arguments.js";
export { parseBodyArguments } from "./forms/body-arguments.js";
export { type ParseBodyConfig, resolveParseBodyConfig } from "./forms/config.js";
export { decodeExtendedValue } from "./forms/extended-value.js";
export { formatHeaderParameters } from "./forms/format-parameters.js";
export { type HeaderParameters, parseHeaderParameters } from "./forms/header-parameters.js";
export {
  type HTTPFile,
  type ParsedForm,
  parseMultipartFormData,
  type RequestFiles,
} from "./forms/multipart-form-data.js";
export { RequestBody, type RequestSource } from "./forms/request-body.js";
export {
  type ForwardedElement,
  type ForwardedNode,
  parseForwarded,
  parseForwardedFor,
  parseForwardedNode,
} from "./forwarded.js";
export { isFieldText, isToken, sameName } from "./grammar.js";
export { HTTPHeaders, type HTTPHeadersInit } from "./headers.js";
export { hopByHopFields, isHopByHop } from "./hop-by-hop.js";
export { type HostAndPort, isHost, splitHostAndPort } from "./host.js";
export { parseHTTPDate } from "./http-date.js";
export { type MediaType, parseMediaType } from "./media-type.js";
export { boundaryOf } from "./multipart/boundary.js";
export type { MultipartLimits } from "./multipart/limits.js";
export { type MultipartEvent, MultipartParser } from "./multipart/parser.js";
export { MultipartPart, type PartReadOptions } from "./multipart/part.js";
export type { PartHead } from "./multipart/part-head.js";
export { readMultipart } from "./multipart/reader.js";
export { accepts, acceptsEncodings, addVary } from "./negotiation.js";
export { parseSetCookie, type ReceivedCookie } from "./parse-set-cookie.js";
export { parseRequestStartLine, parseResponseStartLine } from "./parse-start-line.js";
export { type Preference, parsePreferences } from "./preferences.js";
export {
  type ByteRange,
  contentRange,
  parseRange,
  parseRanges,
  type RequestedRange,
  satisfyRange,
  satisfyRanges,
  unsatisfiedRange,
} from "./range.js";
export { HTTPServerRequest } from "./request.js";
export { type CookieAttributes, serializeCookie } from "./set-cookie.js";
export { type RequestStartLine, type ResponseStartLine, reasonPhrase, responses } from "./start-line.js";
export { formatTimestamp } from "./timestamp.js";
export { type QueryArguments, qsToQsl, urlConcat } from "./url.js";
