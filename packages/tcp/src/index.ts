export {
  type ConnectOptions,
  type EngineChoice,
  type Listener,
  type ListenOptions,
  type Network,
  networkOf,
  type ResolvedAddress,
  useNetwork,
} from "./network.js";
export { TCPClient, type TCPClientOptions, type TCPConnectOptions } from "./tcp-client.js";
export { type PeerAddress, type StreamHandler, TCPServer, type TCPServerOptions } from "./tcp-server.js";
