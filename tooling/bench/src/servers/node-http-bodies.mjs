// The same on node:http:  node node-http-bodies.mjs body|file|upload|upload-slow|download PORT
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { MIB, pattern } from "./pattern.mjs";

const [, , mode, port] = process.argv;
const GIB = 1 << 30;
const PIECE = 64 * 1024;
const bytes = pattern();

const head = (response, length) =>
  response.writeHead(200, { "Content-Type": "application/octet-stream", "Content-Length": length });

const body = (_request, response) => head(response, MIB).end(bytes);

const file = (_request, response) => {
  head(response, MIB);
  createReadStream(process.env.BENCH_FILE).pipe(response);
};

async function download(_request, response) {
  head(response, GIB);
  for (let at = 0; at < GIB; at += PIECE) {
    if (!response.write(bytes.subarray(at % MIB, (at % MIB) + PIECE))) await once(response, "drain");
  }
  response.end();
}

function upload(request, response) {
  let received = 0;
  request.on("data", (chunk) => {
    received += chunk.length;
  });
  request.on("end", () => head(response, String(received).length).end(String(received)));
}

async function slowUpload(request, response) {
  let received = 0;
  let pauses = 0;
  for await (const chunk of request) {
    received += chunk.length;
    if (received - pauses * MIB < MIB) continue;
    pauses++;
    await sleep(1);
  }
  head(response, String(received).length).end(String(received));
}

const server = createServer({ body, file, download, upload, "upload-slow": slowUpload }[mode]);
server.listen(Number(port), "127.0.0.1", () => console.log("ready"));
