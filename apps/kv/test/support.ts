// A server without a network, in virtual time: clients are pairs in memory.

import { IOLoop } from "@tw/ioloop";
import { VirtualHost } from "@tw/ioloop/testing";
import { IOStream } from "@tw/iostream";
import { memoryPair } from "@tw/iostream/transports";
import { KVServer } from "../src/kv-server.js";
import type { Limits } from "../src/limits.js";

/** A client that keeps what it is told. */
export class TestClient {
  heard = "";
  closed = false;
  readonly stream: IOStream;
  readonly #host: VirtualHost;

  constructor(stream: IOStream, host: VirtualHost) {
    this.stream = stream;
    this.#host = host;
    stream.attach({
      onBytes: (view) => {
        this.heard += Buffer.from(view).toString("latin1");
      },
      onEnd: () => stream.close(),
      onDrain() {},
      onClose: () => {
        this.closed = true;
      },
    });
  }

  /** Sends wire bytes, and returns what came since. */
  async say(wire: string): Promise<string> {
    this.stream.send(wire);
    return this.listen();
  }

  /** Sends one request. */
  ask(...args: string[]): Promise<string> {
    return this.say(request(...args));
  }

  async listen(): Promise<string> {
    await this.#host.advance(0);
    const { heard } = this;
    this.heard = "";
    return heard;
  }
}

export function request(...args: string[]): string {
  return `*${args.length}\r\n${args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("")}`;
}

export interface TestServer {
  readonly server: KVServer;
  readonly host: VirtualHost;
  readonly logged: unknown[];
  connect(options?: Parameters<typeof memoryPair>[1]): TestClient;
}

export function testServer(limits: Partial<Limits> = {}): TestServer {
  const host = new VirtualHost();
  const logged: unknown[] = [];
  const note = (fields: unknown): void => void logged.push((fields as { err?: unknown }).err ?? fields);
  const loop = new IOLoop({ host, logger: { debug: note, info: note, warn: note, error: note } });
  const server = new KVServer({ loop, limits });
  const connect = (options?: Parameters<typeof memoryPair>[1]): TestClient => {
    const [near, far] = memoryPair(loop, options);
    server.handleStream(new IOStream(far, { loop }));
    return new TestClient(new IOStream(near, { loop }), host);
  };
  return { server, host, logged, connect };
}
