// The same under Bun:  bun bun-bodies.mjs body|file|upload PORT
import { pattern } from "./pattern.mjs";

const [, , mode, port] = process.argv;
const bytes = pattern();
const headers = { "Content-Type": "application/octet-stream" };

const fetch = {
  body: () => new Response(bytes, { headers }),
  file: () => new Response(Bun.file(process.env.BENCH_FILE), { headers }),
  async upload(request) {
    let received = 0;
    for await (const chunk of request.body) received += chunk.length;
    return new Response(String(received));
  },
}[mode];

Bun.serve({ port: Number(port), hostname: "127.0.0.1", maxRequestBodySize: 1 << 30, fetch });
console.log("ready");
