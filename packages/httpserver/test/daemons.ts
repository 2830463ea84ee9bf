// Programs of others that run beside a test: started with a configuration of their own, awaited, and ended with it.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, connect as netConnect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A program that listens on {@link port} of 127.0.0.1. */
export interface Daemon {
  readonly port: number;
  stop(): Promise<void>;
}

/** nginx in front of `upstream`: keeps connections to it, and passes bodies on as they come. */
export function startNginx(upstream: number): Promise<Daemon> {
  return start("nginx", (port, directory) => ({
    configuration: `daemon off; master_process off; pid ${directory}/pid; error_log ${directory}/error.log; events {}
http {
  access_log off; client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  client_max_body_size 100m;
  upstream tw { server 127.0.0.1:${upstream}; keepalive 32; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://tw; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
    location /streamed/ { proxy_pass http://tw; proxy_http_version 1.1; proxy_request_buffering off; proxy_buffering off; proxy_set_header Connection ""; }
    location /old/ { proxy_pass http://tw; }
  }
}`,
    command: ["/usr/sbin/nginx", "-p", directory, "-c", join(directory, "configuration")],
  }));
}

/** haproxy in front of `upstream`, with checks of its health by `OPTIONS *`. */
export function startHaproxy(upstream: number): Promise<Daemon> {
  return start("haproxy", (port, directory) => ({
    configuration: `defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  option http-keep-alive
  http-reuse always
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  option httpchk
  http-check send meth OPTIONS uri * ver HTTP/1.1 hdr Host tw
  http-check expect status 200
  server tw 127.0.0.1:${upstream} check inter 200ms
`,
    command: ["/usr/sbin/haproxy", "-db", "-f", join(directory, "configuration")],
  }));
}

/**
 * haproxy as a tunnel to `upstream`, which it tells of each client with the PROXY protocol: `send-proxy`,
 * `send-proxy-v2` and so on. With `identity` (a certificate and its key, PEM) it speaks TLS to clients.
 */
export function startTunnel(upstream: number, send: string, identity?: string): Promise<Daemon> {
  return start("haproxy", (port, directory) => {
    const pem = join(directory, "identity.pem");
    if (identity !== undefined) writeFileSync(pem, identity);
    return {
      configuration: `defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend f
  bind 127.0.0.1:${port} ${identity === undefined ? "" : `ssl crt ${pem} alpn http/1.1`}
  default_backend b
backend b
  server tw 127.0.0.1:${upstream} check inter 100ms ${send}
`,
      command: ["/usr/sbin/haproxy", "-db", "-f", join(directory, "configuration")],
    };
  });
}

type Plan = (port: number, directory: string) => { configuration: string; command: readonly string[] };

async function start(name: string, plan: Plan): Promise<Daemon> {
  const directory = await mkdtemp(join(tmpdir(), `tw-${name}-`));
  const port = await freePort();
  const { configuration, command } = plan(port, directory);
  await writeFile(join(directory, "configuration"), configuration);
  const [file, ...args] = command as [string, ...string[]];
  const child = spawn(file, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said += chunk;
  });
  child.on("error", (error) => {
    said += error.message;
  });
  while (!(await answers(port))) {
    if (child.exitCode !== null || child.pid === undefined) throw new Error(`${name} did not start: ${said}`);
  }
  return { port, stop: () => stop(child, directory) };
}

async function stop(child: ChildProcess, directory: string): Promise<void> {
  if (child.exitCode === null) {
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
  }
  await rm(directory, { recursive: true, force: true });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = netConnect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("error", () => setTimeout(resolve, 20, false));
    socket.on("connect", () => socket.destroy());
  });
}
