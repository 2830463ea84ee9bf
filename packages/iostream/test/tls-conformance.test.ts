// TLS as startTls() makes it, examined as any transport: over descriptors that were native, and over streams of ours.

import type { Duplex } from "node:stream";
import { nativeAvailable } from "@tw/tooling-testing";
import { EMPTY_BYTES } from "@tw/util";
import { describe, it } from "vitest";
import { IOStream } from "../src/index.js";
import { transportConformance } from "../src/testing.js";
import { carrierOf } from "../src/transports/node/carrier.js";
import { Handshake } from "../src/transports/node/handshake.js";
import { StreamDuplex } from "../src/transports/node/stream-duplex.js";
import {
  memoryPair,
  type NativeEngine,
  NativeTransport,
  type NodeTransport,
  nativeEngine,
  nodeTransport,
} from "../src/transports.js";
import { tcpDescriptors } from "./native-pairs.js";
import { loop, settle } from "./node-pairs.js";
import { selfSigned } from "./self-signed.js";

const identity = selfSigned();

async function overTls(near: Duplex, far: Duplex): Promise<[NodeTransport, NodeTransport]> {
  const client = new Handshake(loop, near, { ca: identity.cert, servername: "localhost" });
  const server = new Handshake(loop, far, { ...identity, isServer: true });
  const [a, b] = await Promise.all([client.done, server.done]);
  return [nodeTransport(loop, a), nodeTransport(loop, b)];
}

/** Both ends of a connection between descriptors, taken apart. */
function releasedPair(): [Duplex, Duplex] {
  const engine = nativeEngine(loop) as NativeEngine;
  const [accepted, connected] = tcpDescriptors(engine);
  const carrier = (fd: number) => carrierOf(new NativeTransport(engine, fd, "tcp"), EMPTY_BYTES) as Duplex;
  return [carrier(connected), carrier(accepted)];
}

function memoryCarriers(): [Duplex, Duplex] {
  const [a, b] = memoryPair(loop);
  return [new StreamDuplex(new IOStream(a, { loop })), new StreamDuplex(new IOStream(b, { loop }))];
}

describe.skipIf(!nativeAvailable)("TLS over native descriptors", () => {
  transportConformance(
    "TLS, released by the native engine",
    async () => {
      const [a, b] = await overTls(...releasedPair());
      return { a, b, settle };
    },
    { describe: describe.concurrent, it },
  );
});

transportConformance(
  "TLS over a stream in memory",
  async () => {
    const [a, b] = await overTls(...memoryCarriers());
    return { a: b, b: a, settle };
  },
  { describe: describe.concurrent, it },
);
