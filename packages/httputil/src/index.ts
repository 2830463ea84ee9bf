export type {
  BodyChunk, ConnectionContext, HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate, MaybePromise, UpgradedReceiver, UpgradedStream,
} from "./delegates.js";
