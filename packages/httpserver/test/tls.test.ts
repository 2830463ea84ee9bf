// HTTPS, end to end: who the server is, who the client is, and what it makes of those who speak something else.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as netConnect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { type ConnectionOptions, type TLSSocket, connect as tlsConnect } from "node:tls";
import { promisify } from "node:util";
import type { HTTPServerRequest } from "@tw/httputil";
import { onEveryEngine } from "@tw/tooling-testing";
import { Authority } from "@tw/tooling-testing/certificates";
import { concatBytes, latin1 } from "@tw/util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { HTTPServer } from "../src/index.js";
import { answer, Bench, codes } from "./harness.js";

const run = promisify(execFile);
const authority = new Authority("Tests");
const { cert: ca } = authority;
const here = authority.issue("localhost", { names: ["localhost", "127.0.0.1"] });
const other = authority.issue("other.test", { names: ["other.test"] });
const client = authority.issue("A client");
const stranger = new Authority("Somebody else").issue("A stranger");

let folder = "";
const file = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tw-tls-"));
  writeFileSync(file("ca.pem"), ca);
  writeFileSync(file("client.pem"), client.cert);
  writeFileSync(file("client.key"), client.key);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Says what the server knows of both ends. */
function tell(request: HTTPServerRequest): void {
  const { tls } = request.connection.context;
  const subject = tls?.peerCertificate()?.subject ?? "nobody";
  const facts = [
    request.protocol,
    tls?.protocol,
    tls?.alpnProtocol,
    tls?.servername,
    tls?.authorized,
    subject,
  ];
  answer(request.connection, `<${facts.join(" ")}> ${request.fullUrl()}`);
}

describe("new HTTPServer() with tls", () => {
  it.each([[7], [{}], [{ cert: here.cert }], [{ ...here, key: other.key }]])("refuses %.30j", (tls) => {
    expect(() => new HTTPServer(() => {}, { tls: tls as never })).toThrow(TypeError);
  });

  it("setSecureContext() is for servers that were made with tls", () => {
    expect(() => new HTTPServer(() => {}).setSecureContext(here)).toThrow(TypeError);
  });
});

onEveryEngine((engine) => {
  const bench = new Bench(engine);
  const sockets: TLSSocket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await bench.tearDown();
  });

  async function connect(server: HTTPServer, options: ConnectionOptions = {}): Promise<TLSSocket> {
    const socket = tlsConnect({
      port: server.port,
      host: "127.0.0.1",
      servername: "localhost",
      ca,
      ...options,
    });
    sockets.push(socket);
    socket.on("error", () => {});
    await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
    return socket;
  }

  /** Sends a request and gives the answer, which ends with `end`. */
  function ask(
    socket: TLSSocket,
    request: string | Uint8Array,
    end: (text: string) => boolean,
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      let text = "";
      const onData = (part: Buffer) => {
        text += part.toString("latin1");
        if (!end(text)) return;
        socket.off("data", onData);
        resolve(text);
      };
      socket.on("data", onData).once("close", () => reject(new Error(`closed after ${text}`)));
      socket.write(request);
    });
  }

  const get = (socket: TLSSocket) =>
    ask(socket, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", (text) => text.includes("https://"));

  it("curl verifies it, keeps its connection, and is offered http/1.1 beside the h2 that it would rather have", async () => {
    const server = await bench.serve(tell, { tls: here });
    const url = `https://localhost:${server.port}`;
    const { stdout, stderr } = await run("curl", [
      "-sSv",
      "--cacert",
      file("ca.pem"),
      "--resolve",
      `localhost:${server.port}:127.0.0.1`,
      `${url}/a`,
      `${url}/b`,
      "-w",
      "(%{num_connects})",
    ]);
    expect(stdout).toBe(
      `<https TLSv1.3 http/1.1 localhost false nobody> ${url}/a(1)<https TLSv1.3 http/1.1 localhost false nobody> ${url}/b(0)`,
    );
    expect(stderr).toMatch(/ALPN[:,] server accepted (?:to use )?http\/1\.1/);
    await expect(run("curl", ["-sS", `https://127.0.0.1:${server.port}/`])).rejects.toMatchObject({
      code: 60,
    });
  });

  it.each([
    ["TLS", {}, ""],
    [
      "the PROXY protocol and TLS",
      { proxyProtocol: { trusted: ["loopback"] } },
      "PROXY TCP4 192.0.2.1 198.51.100.7 4711 443\r\n",
    ],
  ])("drain() lets in who comes through %s meanwhile, and answers", async (_what, options, line) => {
    const server = await bench.serve(tell, { tls: here, ...options });
    const tcp = netConnect(server.port, "127.0.0.1");
    while (server.connectionCount === 0) await new Promise((resolve) => setImmediate(resolve));
    const draining = server.drain({ timeoutMs: 60_000 });
    tcp.write(line);
    expect(await get(await connect(server, { socket: tcp }))).toContain("\r\nConnection: close\r\n");
    expect(await draining).toEqual({ finished: 1, closed: 0, upgraded: 0, aborted: 0 });
  });

  it("has a certificate for each name that is asked for", async () => {
    const server = await bench.serve(tell, { tls: { ...here, hosts: { "other.test": other } } });
    const { stdout } = await run("curl", [
      "-sS",
      "--cacert",
      file("ca.pem"),
      "--resolve",
      `other.test:${server.port}:127.0.0.1`,
      `https://other.test:${server.port}/`,
    ]);
    expect(stdout).toContain(" other.test false nobody> https://other.test:");
    expect((await connect(server)).getPeerX509Certificate()?.subject).toBe("CN=localhost");
    expect((await connect(server, { servername: "other.test" })).getPeerX509Certificate()?.subject).toBe(
      "CN=other.test",
    );
  });

  it("knows the client by its certificate, where it asks for one", async () => {
    const server = await bench.serve(tell, {
      tls: { ...here, ca, requestCert: true, rejectUnauthorized: false },
    });
    const curl = (...more: string[]) =>
      run("curl", ["-sS", "--cacert", file("ca.pem"), ...more, `https://127.0.0.1:${server.port}/`]);
    expect((await curl("--cert", file("client.pem"), "--key", file("client.key"))).stdout).toContain(
      " true CN=A client>",
    );
    expect((await curl()).stdout).toContain(" false nobody>");
    expect(await get(await connect(server, stranger))).toContain(" false CN=A stranger>");
  });

  it("lets nobody in without a certificate that verifies, where it insists, and counts who tried", async () => {
    const lines: string[] = [];
    const keep = (level: string) => (first: unknown, message?: string) =>
      void lines.push(`${level} ${message ?? first}`);
    const logger = { debug: keep("debug"), info: keep("info"), warn: keep("warn"), error: keep("error") };
    const server = await bench.serve(tell, { tls: { ...here, ca, requestCert: true }, logger });
    for (const identity of [{}, stranger]) {
      const socket = await connect(server, identity).catch(() => undefined);
      if (socket !== undefined) await expect(get(socket)).rejects.toThrow();
    }
    expect(await get(await connect(server, client))).toContain(" true CN=A client>");
    expect(server.handshakeFailures).toBe(2);
    expect(lines).toEqual([]);
  });

  it("what comes in place of a handshake is answered by nobody, and disturbs nobody", async () => {
    let served = 0;
    const server = await bench.serve(
      (request) => {
        served++;
        tell(request);
      },
      { tls: { ...here, handshakeTimeoutMs: 1000 } },
    );
    const honest = await connect(server);
    for (const bytes of [
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
      `\x16\x03\x01\xff\xff${"\0".repeat(200)}`,
      "\x16",
    ]) {
      const socket = netConnect(server.port, "127.0.0.1");
      let seen = "";
      const closed = new Promise((resolve) => socket.on("error", () => {}).on("close", resolve));
      socket.on("data", (part) => {
        seen += part.toString("latin1");
      });
      socket.write(bytes, "latin1");
      await closed;
      expect(seen).not.toContain("HTTP/1.1");
    }
    expect([served, server.handshakeFailures]).toEqual([0, 3]);
    expect(await get(honest)).toContain("<https TLSv1.3 ");
  });

  it("a client that speaks h2 and nothing else is told so in the handshake", async () => {
    const server = await bench.serve(tell, { tls: here });
    await expect(connect(server, { ALPNProtocols: ["h2"] })).rejects.toMatchObject({
      code: expect.stringContaining("NO_APPLICATION_PROTOCOL"),
    });
    const silent = await connect(server);
    expect(silent.alpnProtocol).toBe(false);
    expect(await get(silent)).toContain("<https TLSv1.3  localhost ");
    const own = await bench.serve(tell, { tls: { ...here, ALPNProtocols: ["own/1"] } });
    expect((await connect(own, { ALPNProtocols: ["own/1"] })).alpnProtocol).toBe("own/1");
  });

  it("setSecureContext() changes certificates for the next connection, and drops none", async () => {
    const server = await bench.serve(tell, { tls: here });
    const before = await connect(server);
    await get(before);
    server.setSecureContext(authority.issue("newer", { names: ["localhost"] }));
    expect(() => server.setSecureContext({ cert: "no" })).toThrow(TypeError);
    const after = await connect(server);
    expect(before.getPeerX509Certificate()?.subject).toBe("CN=localhost");
    expect(after.getPeerX509Certificate()?.subject).toBe("CN=newer");
    for (const socket of [before, after]) expect(await get(socket)).toContain("<https ");
    expect((await connect(server, { ALPNProtocols: ["http/1.1"] })).alpnProtocol).toBe("http/1.1");
  });

  it("bodies of megabytes both ways, pipelined, whole", async () => {
    const body = randomBytes(3_000_000);
    const server = await bench.serve(
      (request) => {
        const same = body.equals(request.body);
        answer(request.connection, `${same} ${"x".repeat(1_000_000)}|`);
      },
      { tls: here },
    );
    const socket = await connect(server);
    const request = concatBytes([
      latin1(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`),
      body,
    ]);
    const text = await ask(socket, concatBytes([request, request]), (all) => all.split("|").length === 3);
    expect(codes(text)).toEqual([200, 200]);
    expect(text.match(/true x{1000000}\|/g)).toHaveLength(2);
  });

  it("a client that ends without close_notify in the middle of a request is gone, and no error of ours", async () => {
    const lines: string[] = [];
    const keep = (_first: unknown, message?: string) => void lines.push(String(message));
    let served = 0;
    const server = await bench.serve(() => void served++, {
      tls: here,
      logger: { debug: keep, info: keep, warn: keep, error: keep },
    });
    // Something in between, which can end what the server reads without a word from TLS.
    const upstream = netConnect(server.port, "127.0.0.1");
    const relay = new Duplex({
      read() {},
      write: (chunk, _encoding, done) => void upstream.write(chunk, done),
    });
    upstream.on("data", (part) => relay.push(part)).on("error", () => {});
    const socket = await connect(server, { socket: relay });
    await new Promise<void>((resolve) => {
      socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc", () => resolve());
    });
    upstream.end();
    await new Promise<void>((resolve) => upstream.once("close", () => resolve()));
    expect([served, lines]).toEqual([0, []]);
  });

  it("behind a PROXY header, TLS and the address of the client come together", async () => {
    const server = await bench.serve(
      (request) => answer(request.connection, `<${request.remoteIp} ${request.protocol}>`),
      { tls: here, proxyProtocol: { trusted: ["loopback"] } },
    );
    const tcp = netConnect(server.port, "127.0.0.1");
    tcp.write("PROXY TCP4 192.0.2.1 198.51.100.7 4711 443\r\n");
    const socket = await connect(server, { socket: tcp });
    const text = await ask(socket, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", (all) => all.includes(">"));
    expect(text).toContain("<192.0.2.1 https>");
  });

  it("a PROXY header and X-Forwarded-For: whoever the first names is who has to be trusted for the second", async () => {
    const server = await bench.serve((request) => answer(request.connection, `<${request.remoteIp}>`), {
      proxyProtocol: { trusted: ["loopback"] },
      trustedProxies: ["192.0.2.0/24"],
    });
    for (const [from, expected] of [
      ["192.0.2.1", "1.1.1.1"],
      ["198.51.100.1", "198.51.100.1"],
    ] as const) {
      const peer = await bench.connect(server);
      await peer.send(
        `PROXY TCP4 ${from} 127.0.0.1 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n`,
      );
      expect(await peer.until((all) => all.includes(">"))).toContain(`<${expected}>`);
    }
  });
});
