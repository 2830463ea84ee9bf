// The whole stack under one name: the names that applications use, and nothing of its own.

export { jsonDecode, jsonEncode, urlEscape, urlUnescape, xhtmlEscape, xhtmlUnescape } from "@tw/escape";
export {
  BadYieldError,
  coroutine,
  moment,
  multi,
  sleep,
  TimeoutError,
  WaitIterator,
  type WaitOptions,
  withTimeout,
} from "@tw/gen";
export {
  AsyncHTTPClient,
  type AsyncHTTPClientOptions,
  type FetchOptions,
  HTTPClientError,
  HTTPResponse,
  HTTPStreamClosedError,
  HTTPTimeoutError,
} from "@tw/httpclient";
export {
  currentRequest,
  HTTPServer,
  type HTTPServerOptions,
  type RequestCallback,
  type RequestContext,
  type SaveOptions,
  saveTo,
} from "@tw/httpserver";
export {
  type HTTPConnection,
  type HTTPFile,
  HTTPHeaders,
  HTTPInputError,
  type HTTPMessageDelegate,
  HTTPOutputError,
  type HTTPServerConnectionDelegate,
  HTTPServerRequest,
  type MultipartLimits,
  type MultipartPart,
  type ParseBodyConfig,
  type RequestArguments,
  type RequestFiles,
  urlConcat,
} from "@tw/httputil";
export {
  ERROR,
  IOLoop,
  type IOLoopOptions,
  NoPollerError,
  observe,
  PeriodicCallback,
  READ,
  type StartOptions,
  type Timeout,
  WRITE,
} from "@tw/ioloop";
export {
  IOStream,
  PipeIOStream,
  SSLIOStream,
  StreamBufferFullError,
  StreamBusyError,
  StreamClosedError,
  type StreamOptions,
  UnsatisfiableReadError,
} from "@tw/iostream";
export { BoundedSemaphore, Condition, Event, Lock, NotAcquiredError, Semaphore } from "@tw/locks";
export { createLogger, type LoggerOptions, nullLogger } from "@tw/log";
export {
  CalledProcessError,
  cpuCount,
  type ForkOptions,
  forkProcesses,
  Subprocess,
  type SubprocessOptions,
  taskId,
  taskSockets,
} from "@tw/process";
export { LifoQueue, PriorityQueue, Queue, QueueEmptyError, QueueFullError, TaskDoneError } from "@tw/queues";
export { type PathArgs, type PathParams, urlFor } from "@tw/routing";
export {
  bindSockets,
  bindUnixSocket,
  CachingResolver,
  DefaultResolver,
  inheritedSockets,
  isValidIp,
  type ListeningSocket,
  OverrideResolver,
  type PeerAddress,
  type Resolver,
  TCPClient,
  type TCPClientOptions,
  type TCPConnectOptions,
  TCPServer,
  type TCPServerOptions,
  type TLSServerOptions,
} from "@tw/tcp";
export { isTwError, type Logger, TwError } from "@tw/util";
export {
  Application,
  ClientGoneError,
  HTTPError,
  InvalidBodyError,
  isHTTPError,
  MissingArgumentError,
  RequestHandler,
  type Respondable,
  type Route,
  type RouteLike,
  route,
  type Settings,
} from "@tw/web";
export {
  type Message,
  type OutgoingMessage,
  WebSocketClientConnection,
  WebSocketClosedError,
  type WebSocketConnectOptions,
  WebSocketError,
  WebSocketHandler,
  WebSocketHandshakeError,
  websocketConnect,
} from "@tw/websocket";
