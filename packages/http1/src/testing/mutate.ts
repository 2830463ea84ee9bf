// Cases of the corpus with a few bytes changed, inserted, removed or doubled: most of what breaks readers is almost right.

import { pick, upTo } from "./random.js";
import type { Scenario } from "./scenario.js";

/** What readers of HTTP get wrong when it stands in the wrong place. */
const FRAGMENTS: readonly string[] = [
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
  "#",
  "@",
  "//",
  "Content-Length: 1\r\n",
  "Content-Length: 1, 1\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Connection: close\r\n",
  "Connection: keep-alive\r\n",
  "Host: b\r\n",
  "HTTP/1.1",
  "HTTP/1.0",
  "GET / ",
  "GET / HTTP/1.1\r\nHost: b\r\n\r\n",
  "HTTP/1.1 204 \r\n\r\n",
];

/** A scenario near one of `corpus`; for one time in three with another one behind it. */
export function mutate(random: () => number, corpus: readonly Scenario[]): Scenario {
  const scenario = pick(random, corpus);
  let wire = scenario.wire + (random() < 0.3 ? pick(random, corpus).wire : "");
  for (let changes = upTo(random, 3); changes >= 0; changes--) {
    const at = upTo(random, wire.length);
    const to = at + upTo(random, 7);
    const inserted = [
      () => pick(random, FRAGMENTS),
      () => String.fromCharCode(upTo(random, 255)),
      () => wire.slice(at, to) + wire.slice(at, to),
      () => "",
    ];
    wire = wire.slice(0, at) + pick(random, inserted)() + wire.slice(random() < 0.5 ? at : to);
  }
  return { ...scenario, wire, ...(random() < 0.3 ? { eof: true } : {}) };
}

/** Bytes without any sense. */
export function noise(random: () => number): Scenario {
  const bytes = Array.from({ length: upTo(random, 40) }, () => String.fromCharCode(upTo(random, 255)));
  return { role: random() < 0.5 ? "server" : "client", wire: bytes.join(""), eof: random() < 0.5 };
}

/** Where the network cuts: mostly small pieces. */
export function* cuts(random: () => number): Generator<number> {
  for (;;) yield 1 + Math.floor(random() ** 3 * 60);
}
