// WebSocket frames for the fuzzer, RFC 6455 §5.2: those of clients with mistakes, and a strict reader of a server's.

const TEXTS = ["", "a", "Grüße, 世界", "x".repeat(125), "x".repeat(126), "x".repeat(70_000)];
const PAYLOADS = [
  ...TEXTS.map((text) => Buffer.from(text)),
  Buffer.from([0xff, 0xfe]),
  Buffer.from([0xe4, 0xb8]),
  Buffer.from([0x03, 0xe8]),
  Buffer.from([0x03, 0xed, 0x61]),
  Buffer.from([0x03]),
];

/** A masked frame as it should be. */
function frame(below, opcode, fin, payload) {
  const length = payload.length;
  const header = [(fin ? 0x80 : 0) | opcode];
  if (length < 126) header.push(0x80 | length);
  else if (length < 65_536) header.push(0xfe, length >> 8, length & 255);
  else header.push(0xff, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255);
  const mask = [below(256), below(256), below(256), below(256)];
  return Buffer.concat([Buffer.from([...header, ...mask]), payload.map((byte, i) => byte ^ mask[i & 3])]);
}

/** Up to eight frames as latin1 text; in three runs of four some of their bytes are wrong. */
export function someFrames(/** @type {(limit: number) => number} */ below) {
  const frames = [];
  for (let count = 1 + below(8); count > 0; count--) {
    const opcode = [0, 1, 1, 1, 2, 2, 8, 9, 10, 3][below(10)];
    frames.push(frame(below, opcode, below(5) > 0, PAYLOADS[below(PAYLOADS.length)]));
  }
  const bytes = Buffer.concat(frames);
  for (let changes = below(4); changes > 0; changes--) bytes[below(Math.min(bytes.length, 40))] = below(256);
  return bytes.subarray(0, below(6) === 0 ? below(bytes.length) : bytes.length).toString("latin1");
}

/** What a server may close with, RFC 6455 §7.4, besides what its client closed with: 1011 of its own is a mistake of ours. */
const isCloseCode = (code) =>
  (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1006 && code !== 1011) ||
  (code >= 3000 && code <= 4999);
const OPCODES = new Set([0, 1, 2, 8, 9, 10]);

/** The frames of one side, as far as they are whole: what they begin with, and their payload, unmasked. */
function* cut(/** @type {string} */ wire) {
  const bytes = Buffer.from(wire, "latin1");
  for (let at = 0; at + 2 <= bytes.length; ) {
    const start = bytes.subarray(at, at + 10);
    const short = start[1] & 127;
    const masked = (start[1] & 128) !== 0;
    const header = (short < 126 ? 2 : short === 126 ? 4 : 10) + (masked ? 4 : 0);
    if (at + header > bytes.length) return;
    const length =
      short < 126
        ? short
        : short === 126
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    const mask = bytes.subarray(at + header - 4, at + header);
    const payload = bytes.subarray(at + header, at + header + length);
    yield {
      start,
      opcode: start[0] & 15,
      masked,
      payload: masked ? payload.map((byte, i) => byte ^ mask[i & 3]) : payload,
    };
    at += header + length;
  }
}

const closeCodeOf = (payload) => (payload.length >= 2 ? payload.readUInt16BE(0) : 1005);

/**
 * @param {string} wire what a server sent
 * @param {string} sent what its client did
 * @returns {{ outcome: string, wrong?: string }} a frame that is cut off at the end is nothing wrong
 */
export function readFrames(wire, sent) {
  let closed;
  for (const { start, opcode, masked, payload } of cut(wire)) {
    if (closed !== undefined) return { outcome: "wrong", wrong: "a frame behind Close" };
    if ((start[0] & 0x70) !== 0 || masked || !OPCODES.has(opcode))
      return { outcome: "wrong", wrong: `not a server's frame: ${start.toString("hex")}` };
    if (opcode === 8) closed = closeCodeOf(payload);
  }
  if (closed === undefined) return { outcome: "no Close" };
  // A server gives back what it was closed with, 1011 too.
  const given = [...cut(sent)].some(({ opcode, payload }) => opcode === 8 && closeCodeOf(payload) === closed);
  if (!isCloseCode(closed) && !(closed === 1011 && given))
    return { outcome: "wrong", wrong: `closed with ${closed}` };
  return { outcome: `closed with ${closed < 1100 ? closed : "another"}` };
}
