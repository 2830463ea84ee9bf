// Real proxies that say who the client is: haproxy with the PROXY protocol, nginx with headers.
import { connect as netConnect, type Socket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import type { HTTPServerRequest } from "@tw/httputil";
import type { IOStream } from "@tw/iostream";
import { proxyHeaderOf } from "@tw/tcp";
import { onEveryEngine } from "@tw/tooling-testing";
import { Authority } from "@tw/tooling-testing/certificates";
import { afterEach, describe, expect, it } from "vitest";
import type { HTTPServerOptions } from "../src/index.js";
import { type Daemon, startNginx, startTunnel } from "./daemons.js";
import { answer, Bench } from "./harness.js";

const PROXIED: HTTPServerOptions = { proxyProtocol: { trusted: ["loopback"] } };
const authority = new Authority("Tests");
const here = authority.issue("localhost");

/** What the server knows of a client, and how it came to know it. */
function tell(request: HTTPServerRequest): void {
  const { context } = request.connection;
  const { stream } = context as unknown as { stream: IOStream };
  const header = proxyHeaderOf(stream);
  answer(
    request.connection,
    `<${request.remoteIp} ${context.remotePort} ${request.protocol} v${header?.version ?? 0}>`,
  );
}

/** Asks from 127.0.0.2, which no proxy here has; gives the answer with our own port replaced. */
function ask(port: number, wrap = (socket: Socket): Socket => socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const tcp = netConnect({ port, host: "127.0.0.1", localAddress: "127.0.0.2" });
    tcp.on("error", reject).on("connect", () => {
      const own = String(tcp.localPort);
      const socket = wrap(tcp);
      let text = "";
      socket.on("error", reject).on("data", (part: Buffer) => {
        text += part.toString("latin1");
        const facts = /<(.*)>/.exec(text)?.[1];
        if (facts === undefined) return;
        socket.destroy();
        resolve(facts.replace(` ${own} `, " own "));
      });
      socket.on("close", () => reject(new Error(`closed after ${JSON.stringify(text)}`)));
      socket.write("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n");
    });
  });
}

const overTls = (socket: Socket) => tlsConnect({ socket, ca: authority.cert, servername: "localhost" });

onEveryEngine((engine) => {
  const bench = new Bench(engine);
  let daemon: Daemon | undefined;
  afterEach(async () => {
    await daemon?.stop();
    daemon = undefined;
    await bench.tearDown();
  });

  describe("haproxy in front", () => {
    it.each([
      ["send-proxy", 1],
      ["send-proxy check-send-proxy", 1],
      ["send-proxy-v2", 2],
      ["send-proxy-v2 check-send-proxy", 2],
      ["send-proxy-v2 proxy-v2-options ssl,crc32c,unique-id,authority", 2],
    ])("%s: the client's address and port, on many connections at once", async (send, version) => {
      const server = await bench.serve(tell, PROXIED);
      daemon = await startTunnel(server.port, send);
      const { port } = daemon;
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask(port)));
      expect(new Set(answers)).toEqual(new Set([`127.0.0.2 own http v${version}`]));
    });

    it.each([
      ["send-proxy", 1],
      ["send-proxy-v2", 2],
    ])("%s in front of our own TLS", async (send, version) => {
      const server = await bench.serve(tell, { ...PROXIED, tls: here });
      daemon = await startTunnel(server.port, send);
      expect(await ask(daemon.port, overTls)).toBe(`127.0.0.2 own https v${version}`);
    });

    it("that ends TLS itself: the request came over https, and says so by version 2", async () => {
      const server = await bench.serve(tell, PROXIED);
      daemon = await startTunnel(server.port, "send-proxy-v2-ssl", `${here.cert}${here.key}`);
      expect(await ask(daemon.port, overTls)).toBe("127.0.0.2 own https v2");
    });

    it("that says nothing, or is not trusted: nobody is served", async () => {
      const server = await bench.serve(tell, PROXIED);
      daemon = await startTunnel(server.port, "");
      await expect(ask(daemon.port)).rejects.toThrow();
      await daemon.stop();
      const wary = await bench.serve(tell, { proxyProtocol: { trusted: ["10.0.0.0/8"] } });
      daemon = await startTunnel(wary.port, "send-proxy-v2");
      await expect(ask(daemon.port)).rejects.toThrow();
    });
  });

  it("nginx appends to X-Forwarded-For: the client is who connected to nginx, not who that says it is", async () => {
    for (const [trustedProxies, expected] of [
      [["loopback"], "9.9.9.9"],
      [["127.0.0.1"], "127.0.0.2"],
      [1, "127.0.0.2"],
      [2, "9.9.9.9"],
      [[], "127.0.0.1"],
    ] as const) {
      const server = await bench.serve((request) => answer(request.connection, `<${request.remoteIp}>`), {
        trustedProxies,
      });
      const nginx = await startNginx(server.port);
      expect(await ask(nginx.port), JSON.stringify(trustedProxies)).toBe(expected);
      await nginx.stop();
    }
  });
});
