export { isValidIp } from "./addresses.js";
export {
  type AdoptOptions,
  adoptSocket,
  type BindOptions,
  type BindUnixOptions,
  bindSockets,
  bindUnixSocket,
  checkBinding,
  type SocketOptions,
} from "./bind-sockets.js";
export { CachingResolver, type CachingResolverOptions } from "./caching-resolver.js";
export type { AcceptedMessage, ConnectedMessage, ListeningMessage, StoppedMessage } from "./channels.js";
export { ConnectTimeoutError, ListenError, type ListenErrorCode, NoAddressError } from "./errors.js";
export { inheritedSockets, type ListenFd, listenFds } from "./listen-fds.js";
export { ListeningSocket } from "./listening-socket.js";
export {
  type AddressFamily,
  type ConnectOptions,
  type EngineChoice,
  type Listener,
  type ListenOptions,
  type Network,
  networkOf,
  type ResolvedAddress,
  useNetwork,
} from "./network.js";
export type { ProxyProtocolOptions } from "./proxy/gate.js";
export { type ProxyEndpoint, type ProxyHeader, ProxyProtocolError, type ProxyTLV } from "./proxy/header.js";
export { proxyHeaderOf } from "./proxy/proxied-stream.js";
export {
  DefaultResolver,
  type Endpoint,
  type Override,
  OverrideResolver,
  type Resolver,
} from "./resolver.js";
export {
  DEFAULT_MAX_CONNECTIONS,
  type DrainOptions,
  type DrainResult,
  type PeerAddress,
  type StreamHandler,
  type TCPListenOptions,
  type TCPServerOptions,
} from "./server-options.js";
export {
  type ConnectionOptions,
  TCPClient,
  type TCPClientOptions,
  type TCPConnectOptions,
} from "./tcp-client.js";
export { TCPServer } from "./tcp-server.js";
export type { TLSClientOptions } from "./tls/client-tls.js";
export type { TLSCertificate, TLSServerOptions } from "./tls/server-tls.js";
export { type TrustedPeers, trustedPeers } from "./trusted-peers.js";
