// Connected pairs of streams over every transport there is.
import { nativeAvailable } from "@tw/tooling-testing";
import { IOStream, type StreamOptions } from "../src/index.js";
import { memoryPair, type NativeEngine, NativeTransport, nativeEngine } from "../src/transports.js";
import { tcpDescriptors } from "./native-pairs.js";
import { loop, nodePair } from "./node-pairs.js";
import { selfSigned } from "./self-signed.js";

export type MakePair = (options?: StreamOptions) => Promise<[IOStream, IOStream]>;

const identity = selfSigned();

function nativePair(kind: "tcp" | "unix", options?: StreamOptions): [IOStream, IOStream] {
  const engine = nativeEngine(loop) as NativeEngine;
  const fds = kind === "tcp" ? tcpDescriptors(engine) : (engine.poller.socketpair() as [number, number]);
  const [a, b] = fds.map((fd) => new IOStream(new NativeTransport(engine, fd, kind), { loop, ...options }));
  return [a as IOStream, b as IOStream];
}

async function nodeStreams(kind: "tcp" | "unix", options?: StreamOptions): Promise<[IOStream, IOStream]> {
  const { connected, accepted } = await nodePair(kind);
  return [new IOStream(connected, { loop, ...options }), new IOStream(accepted, { loop, ...options })];
}

async function secured([near, far]: [IOStream, IOStream]): Promise<[IOStream, IOStream]> {
  const answering = far.startTls({ ...identity, isServer: true });
  return [await near.startTls({ ca: identity.cert, servername: "localhost" }), await answering];
}

/** By name; the native ones are undefined where there is no poller. */
export const STREAM_PAIRS: Readonly<Record<string, MakePair | undefined>> = {
  "native, TCP": nativeAvailable ? async (options) => nativePair("tcp", options) : undefined,
  "native, Unix socket": nativeAvailable ? async (options) => nativePair("unix", options) : undefined,
  "native, TLS": nativeAvailable ? async (options) => secured(nativePair("tcp", options)) : undefined,
  "node, TCP": (options) => nodeStreams("tcp", options),
  "node, Unix socket": (options) => nodeStreams("unix", options),
  "node, TLS": async (options) => secured(await nodeStreams("tcp", options)),
  memory: async (options) => {
    const [a, b] = memoryPair(loop);
    return [new IOStream(a, { loop, ...options }), new IOStream(b, { loop, ...options })];
  },
  "memory in parts": async (options) => {
    const part = (size: number): number => (size < 64 ? size : size / 3);
    const [a, b] = memoryPair(loop, { take: part, chunk: part, capacity: 50_000 });
    return [new IOStream(a, { loop, ...options }), new IOStream(b, { loop, ...options })];
  },
};
