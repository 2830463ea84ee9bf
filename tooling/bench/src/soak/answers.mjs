// Reads what a fuzzed server said, strictly: an answer is one that our handler gave (it says so in `X-Soak`) or one of the
// refusals that a server may give by itself. Everything else is a finding.

/** What a peer may be told that broke the protocol, was too slow, or asks for too much. */
const REFUSALS = new Set([400, 408, 413, 414, 417, 421, 426, 431, 501, 503, 505]);

/** Those that say nothing against the next request. */
const KEPT = new Set([417, 503]);

const FIELD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+: ?[\t -~\x80-\xff]*$/;

/**
 * @param {string} wire  everything that came on one connection, as latin1 text
 * @returns {{ statuses: number[], wrong?: string }} what is wrong with it, if anything; an answer that is cut off at the
 *   end is nothing wrong: a server aborts where it cannot go on
 */
export function readAnswers(wire) {
  const statuses = [];
  let at = 0;
  let last = false;
  while (at < wire.length) {
    if (last) return { statuses, wrong: `something behind Connection: close: ${quote(wire, at)}` };
    const end = wire.indexOf("\r\n\r\n", at);
    if (end < 0) return { statuses, ...headBegun(wire.slice(at)) };
    const [statusLine, ...lines] = wire.slice(at, end).split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) [\t -~]*$/.exec(statusLine)?.[1]);
    if (Number.isNaN(status)) return { statuses, wrong: `no status line: ${quote(wire, at)}` };
    const bad = lines.find((line) => !FIELD.test(line));
    if (bad !== undefined) return { statuses, wrong: `no field: ${JSON.stringify(bad)}` };
    statuses.push(status);
    const fields = new Map(
      lines.map((line) => line.split(/: ?(.*)/s, 2)).map(([n, v]) => [n.toLowerCase(), v]),
    );
    at = end + 4;
    if (status === 100) continue;
    const ours = fields.get("x-soak");
    if (ours === undefined && !REFUSALS.has(status))
      return { statuses, wrong: `not one of ours: ${statusLine}` };
    // CONNECT is refused for good; a client of HTTP/1.0 is not told so, because it expects nothing else.
    last = status === 501 || (fields.get("connection") ?? "").toLowerCase().includes("close");
    if (ours === undefined && !last && !KEPT.has(status))
      return { statuses, wrong: `a refusal without close: ${statusLine}` };
    const body = ours === "HEAD" ? { end: at, text: "" } : readBody(wire, at, fields);
    if (body === undefined) return { statuses }; // cut off
    if (body.wrong !== undefined) return { statuses, wrong: body.wrong };
    if (ours !== undefined && !/^s*$/.test(body.text))
      return { statuses, wrong: `a body that is not ours: ${quote(body.text, 0)}` };
    at = body.end;
  }
  return { statuses };
}

const quote = (text, at) => JSON.stringify(text.slice(at, at + 120));

/** A head that does not end may only be the beginning of one. */
const headBegun = (text) =>
  "HTTP/1.1 ".startsWith(text.slice(0, 9)) ? {} : { wrong: `no answer: ${quote(text, 0)}` };

/** @returns undefined where the body is cut off */
function readBody(wire, at, fields) {
  const length = fields.get("content-length");
  if (length !== undefined) {
    if (!/^\d+$/.test(length) || fields.has("transfer-encoding"))
      return { wrong: `framing: Content-Length: ${length}, with ${fields.get("transfer-encoding")}` };
    const end = at + Number(length);
    return end <= wire.length ? { end, text: wire.slice(at, end) } : undefined;
  }
  if (fields.get("transfer-encoding") === undefined) return { end: wire.length, text: wire.slice(at) };
  let text = "";
  for (;;) {
    const line = wire.indexOf("\r\n", at);
    if (line < 0) return undefined;
    const size = wire.slice(at, line);
    if (!/^[0-9a-f]{1,8}$/i.test(size)) return { wrong: `chunk size: ${quote(wire, at)}` };
    const begin = line + 2;
    const end = begin + Number.parseInt(size, 16);
    if (end + 2 > wire.length) return undefined;
    if (wire.slice(end, end + 2) !== "\r\n") return { wrong: `chunk end: ${quote(wire, end)}` };
    text += wire.slice(begin, end);
    at = end + 2;
    if (end === begin) return { end: at, text };
  }
}
