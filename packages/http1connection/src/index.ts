export { announcesBody } from "./announces-body.js";
export { BodyCollector } from "./body-collector.js";
export type {
  HTTPRequestErrorMessage,
  HTTPRequestFinishMessage,
  HTTPRequestMessage,
  HTTPRequestStartMessage,
  HTTPResponseStartMessage,
  HTTPUpgradeMessage,
} from "./channels.js";
export { HTTP1ClientConnection } from "./client-connection.js";
export type { ClientExchange } from "./client-exchange.js";
export { type ContentCoding, contentCodings, parseContentCodings } from "./content/codings.js";
export { ContentDecoder, type ContentDecoderOptions } from "./content/content-decoder.js";
export type { Take } from "./content/inflater.js";
export type { HTTP1ConnectionOptions } from "./options.js";
export { HTTP1ServerConnection } from "./server-connection.js";
export { nodeLatin1, ServerContext } from "./server-context.js";
