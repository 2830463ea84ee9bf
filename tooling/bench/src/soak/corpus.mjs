// Bytes for the fuzzers: the corpus of @tw/http1 with a few bytes changed, inserted, removed or doubled. What comes out
// depends on the seed alone.

import { readdirSync, readFileSync } from "node:fs";
import { parseCorpus } from "@tw/http1/testing";

const FOLDER = new URL("../../../../packages/http1/test/corpus/", import.meta.url);

/** What readers of HTTP get wrong when it stands in the wrong place. */
const FRAGMENTS = [
  "\r\n",
  "\r",
  "\n",
  "\r\n\r\n",
  " ",
  "\t",
  ":",
  "\0",
  "\x7f",
  "\xff",
  "0\r\n\r\n",
  "1\r\na\r\n",
  "ffffffff\r\n",
  ';a="',
  ",",
  "Content-Length: 1\r\n",
  "Content-Length: 5000000\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Connection: close\r\n",
  "Connection: upgrade\r\nUpgrade: websocket\r\n",
  "Expect: 100-continue\r\n",
  "Host: b\r\n",
  "HTTP/1.1",
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  `X: ${"x".repeat(70_000)}\r\n`,
  "X: y\r\n".repeat(300),
];

/**
 * The requests of the corpus as latin1 text: those that a server must take, and those that it must refuse.
 * @returns {{ right: string[], wrong: string[] }}
 */
export function readRequests() {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith(".md"));
  const right = [];
  const wrong = [];
  for (const file of files) {
    for (const { scenario, events } of parseCorpus(readFileSync(new URL(file, FOLDER), "utf8"), file)) {
      if (scenario.role !== "server") continue;
      (events.some((event) => event.startsWith("error")) ? wrong : right).push(scenario.wire);
    }
  }
  return { right, wrong };
}

const pick = (below, from) => from[below(from.length)];

/**
 * @param {(limit: number) => number} below
 * @param {{ right: readonly string[], wrong: readonly string[] }} corpus
 * @returns {string} what a client sends
 */
export function mutate(below, { right, wrong }) {
  const any = () => pick(below, below(6) === 0 ? wrong : right);
  let wire = any();
  for (let more = below(4); more > 1; more--) wire += any();
  // What the server does depends on the target.
  wire = wire.replaceAll(" / ", () => ` /${below(1000)} `);
  if (below(50) === 0) wire = wire.repeat(2 + below(60));
  for (let changes = below(4); changes > 0; changes--) {
    const at = below(wire.length + 1);
    const to = at + below(8);
    const inserted = [
      pick(below, FRAGMENTS),
      String.fromCharCode(below(256)),
      wire.slice(at, to) + wire.slice(at, to),
      "",
    ];
    wire = wire.slice(0, at) + pick(below, inserted) + wire.slice(below(2) === 0 ? at : to);
  }
  return wire;
}

/** The text in pieces: whole, byte by byte at the beginning, or at random places. */
export function chop(/** @type {(limit: number) => number} */ below, /** @type {string} */ wire) {
  const how = below(4);
  if (how < 2) return [wire];
  const most = how === 2 ? 3 : 1 + wire.length;
  const pieces = [];
  for (let at = 0; at < wire.length && pieces.length < 40; ) {
    const size = 1 + below(most);
    pieces.push(wire.slice(at, at + size));
    at += size;
  }
  const sent = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return sent < wire.length ? [...pieces, wire.slice(sent)] : pieces;
}
