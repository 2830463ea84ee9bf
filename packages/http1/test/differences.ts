// Where we and node:http's parser (llhttp) differ, all of it, each with its reason. An unlisted difference fails the
// differential test, and so does an entry that no case needs.

import type { HTTP1Role } from "../src/index.js";
import { isForbiddenTrailer } from "../src/trailers.js";
import type { Reading } from "./readings.js";

/** One way in which one of the two refuses what the other reads. */
export interface Difference {
  /** Our message, or node's code, of the refusal. */
  readonly refusal: RegExp;
  readonly why: string;
}

/** What one of the two reads and the other does not hand on, although neither refuses anything. */
export interface Leaving {
  readonly why: string;
  /** Takes it out of the first reading. */
  readonly leave: (reading: Reading, other: Reading, role: HTTP1Role) => Reading;
}

export const WE_LEAVE: readonly Leaving[] = [
  {
    why: "RFC 9110 §6.5.1: trailers that come too late are dropped; node hands them on beside the headers.",
    leave: ({ messages, refusal }) => ({
      messages: messages.map((message) => ({ ...message, trailers: inTime(message.trailers) })),
      refusal,
    }),
  },
  {
    why: "RFC 9112 §6.3, §9.2: what comes behind the final response is no response; node:http looks at that above.",
    leave: ({ messages, refusal }, _, role) => {
      const final = messages.findIndex(({ start, ended }) => ended && !/^HTTP\/\d\.\d 1(?!01)/.test(start));
      if (role === "server" || final === -1) return { messages, refusal };
      return { messages: messages.slice(0, final + 1), refusal: undefined };
    },
  },
  {
    why: "RFC 9112 §9.6, §9.3: nothing is read behind a close; node refuses it, or finds keep-alive beside the close first.",
    leave: ({ messages, refusal }, ours) =>
      ours.over && messages[ours.messages.length - 1]?.ended
        ? { messages: messages.slice(0, ours.messages.length), refusal: undefined }
        : { messages, refusal },
  },
];

function inTime(trailers: readonly string[]): string[] {
  return trailers.filter((_, i) => !isForbiddenTrailer(trailers[i - (i % 2)] as string));
}

/** We read on, node stops. */
export const NODE_LEAVES: readonly Leaving[] = [
  {
    why: "RFC 9110 §7.8: Upgrade in HTTP/1.0 is ignored; node takes what comes behind for the other protocol.",
    leave: (ours, { messages, refusal }, role) => {
      const last = ours.messages[messages.length - 1];
      const asked = last?.start.endsWith(" HTTP/1.0") && last.fields.some((text) => /^upgrade$/i.test(text));
      if (role === "client" || refusal !== undefined || !asked) return ours;
      return { messages: ours.messages.slice(0, messages.length), refusal: undefined, over: true };
    },
  },
];

/** We refuse, node reads on. */
export const WE_REFUSE: readonly Difference[] = [
  {
    refusal: /^No Host$/,
    why: "RFC 9112 §3.2: 400. node:http checks it above its parser, and presence alone.",
  },
  { refusal: /^More than one Host$/, why: "RFC 9112 §3.2: 400." },
  { refusal: /^Malformed Host/, why: "RFC 9112 §3.2: 400; two readers would see two hosts (S-04)." },
  {
    refusal: /^Malformed target for/,
    why: "RFC 9112 §3.2: a form goes with a method; an authority has a host, no userinfo, a port that is one.",
  },
  {
    refusal: /^Malformed request line/,
    why: "RFC 9112 §3: one blank each, and HTTP/1.x; node takes several blanks, HTTP/0.9, HTTP/2.0 and fragments.",
  },
  {
    refusal: /^Malformed status line/,
    why: "RFC 9112 §4: three digits from 100 on and a blank behind them; node takes any number, and a missing blank. RFC 9112 §2.2: no empty line before it; node skips any number.",
  },
  {
    refusal: /^Empty line instead of a start line$/,
    why: "RFC 9112 §2.2: one empty line in front of a request is robustness; node skips any number.",
  },
  {
    refusal: /^LF without CR/,
    why: "RFC 9112 §2.2 allows it; what one reader takes for a line end another does not.",
  },
  { refusal: /^CR without LF/, why: "RFC 9112 §2.2: a bare CR is invalid." },
  {
    refusal: /^Control character/,
    why: "RFC 9110 §5.5, RFC 9112 §4: none in a line; node lets them pass in reasons.",
  },
  {
    refusal: /^Unsupported Transfer-Encoding/,
    why: "RFC 9112 §6.3, S-02: one chunked. Node reads any list that ends in it, and hands the rest on undecoded.",
  },
  {
    refusal: /^Transfer-Encoding in an HTTP\/1\.0 message$/,
    why: "RFC 9112 §6.1: its framing is faulty; node reads it as if it were 1.1.",
  },
  { refusal: /^Body too large/, why: "Node's parser has no limit for bodies; here it is 2^53 bytes." },
  {
    refusal: /^Malformed chunk size$/,
    why: "S-01: at most 64 digits, and no number that loses digits, RFC 9112 §7.1.",
  },
  {
    refusal: /^Malformed chunk extension$/,
    why: "RFC 9112 §7.1.1: a name between semicolons, and a value behind =.",
  },
  {
    refusal: /^Forbidden trailer field/,
    why: "RFC 9110 §6.5.1: what frames or routes cannot come behind the body.",
  },
  {
    refusal: /^Response \d+ announces a body$/,
    why: "RFC 9112 §6.1, RFC 9110 §8.6: 1xx and 204 have neither; node believes the status and skips the fields.",
  },
  { refusal: /^Too many 1xx responses$/, why: "A server could keep its client waiting for ever." },
  {
    refusal: /^101 to a request without Upgrade$/,
    why: "RFC 9110 §7.8; node:http checks it above its parser.",
  },
  {
    refusal: /^Connection ended within a message/,
    why: "RFC 9112 §8; node:http tells it as an aborted message.",
  },
];

/** Node refuses, we read on. */
export const NODE_REFUSES: readonly Difference[] = [
  {
    refusal: /^HPE_UNEXPECTED_CONTENT_LENGTH$/,
    why: "RFC 9110 §8.6 lets equal Content-Lengths be one, as Tornado does (B3); also in tunnels, where none counts.",
  },
  {
    refusal: /^HPE_INVALID_CONTENT_LENGTH$/,
    why: "The same as a list; a tab is a blank (B6); and 64 bits are not the end of numbers, 413 is told instead.",
  },
  {
    refusal: /^HPE_INVALID_TRANSFER_ENCODING$/,
    why: "RFC 9110 §5.5: blanks around chunked are no part of it; and in a tunnel the field is ignored, RFC 9112 §6.3.",
  },
  {
    refusal: /^HPE_INVALID_VERSION$/,
    why: "RFC 9110 §2.5: a later minor version is compatible; answered and closed.",
  },
  {
    refusal: /^HPE_INVALID_METHOD$/,
    why: "RFC 9110 §9.1: any token is a method; which are served is the server's.",
  },
  { refusal: /^HPE_INVALID_URL$/, why: "Clients send UTF-8 in targets, and Tornado routes it (A19)." },
  {
    refusal: /^HPE_STRICT$/,
    why: "RFC 9112 §7.1.1 has blanks in chunk extensions; node knows fewer places.",
  },
];
