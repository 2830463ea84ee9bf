import { describe, expect, it } from "vitest";
import {
  type AccessEntry,
  accessFields,
  accessLine,
  accessSummary,
  combinedLine,
  createLogger,
  logAccess,
} from "../src/index.js";

const ENTRY: AccessEntry = {
  method: "GET",
  uri: "/a?b",
  version: "HTTP/1.1",
  status: 200,
  remoteIp: "127.0.0.1",
  durationMs: 1.234,
  bytesReceived: 0,
  bytesSent: 12,
  outcome: "complete",
  userAgent: "curl/8.14",
};
const REFUSED: AccessEntry = {
  method: "",
  uri: "",
  version: "",
  status: 400,
  remoteIp: "::1",
  outcome: "refused",
};
const TIME = Date.UTC(2026, 10, 1, 9, 8, 7);

describe("accessLine()", () => {
  it("is Tornado's, with the time where it is known", () => {
    expect(accessLine(ENTRY)).toBe("200 GET /a?b (127.0.0.1) 1.23ms");
    expect(accessLine({ ...ENTRY, durationMs: undefined })).toBe("200 GET /a?b (127.0.0.1)");
    expect(accessSummary(ENTRY)).toBe("GET /a?b (127.0.0.1)");
  });

  it("says where an answer is not whole, or was never begun, or there was no request", () => {
    expect(accessLine({ ...ENTRY, outcome: "aborted" })).toBe("200 GET /a?b (127.0.0.1) 1.23ms aborted");
    expect(accessLine({ ...ENTRY, outcome: "aborted", status: 0 })).toMatch(/^- GET .* aborted$/);
    expect(accessLine(REFUSED)).toBe("400 - - (::1)");
  });

  it("says what was wrong behind all that, in the same line", () => {
    expect(accessLine({ ...ENTRY, status: 400, outcome: "aborted", detail: "a\nb" })).toBe(
      "400 GET /a?b (127.0.0.1) 1.23ms aborted: a\\nb",
    );
  });
});

describe("combinedLine()", () => {
  it("has the fields of the combined log format, in UTC", () => {
    expect(combinedLine(ENTRY, TIME)).toBe(
      '127.0.0.1 - - [01/Nov/2026:09:08:07 +0000] "GET /a?b HTTP/1.1" 200 12 "-" "curl/8.14"',
    );
    expect(combinedLine({ ...REFUSED, remoteIp: "", status: 0 }, TIME)).toBe(
      '- - - [01/Nov/2026:09:08:07 +0000] "-" - - "-" "-"',
    );
  });

  it("S-43: keeps a quote within a text from ending it", () => {
    const line = combinedLine({ ...ENTRY, referer: 'a" 200 1 "b', userAgent: "ends with \\" }, TIME);
    const [referer, userAgent] = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].slice(1).map(([, text]) => text);
    expect([referer, userAgent]).toEqual(['a\\" 200 1 \\"b', "ends with \\\\"]);
  });
});

describe("S-43: what a client sent cannot end a line or talk to a terminal", () => {
  // C0, DEL, C1 (U+009B is CSI in one character), the line separators, and what turns the direction of a text.
  const hostile = [
    ...Array.from({ length: 0x20 }, (_, i) => i),
    ...Array.from({ length: 0x21 }, (_, i) => 0x7f + i),
    ...[0x2028, 0x2029, 0x200e, 0x200f, 0x202a, 0x202e, 0x2066, 0x2069],
  ];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

  it.each(["method", "uri", "version", "remoteIp", "detail", "referer", "userAgent"] as const)(
    "in %s",
    (field) => {
      for (const code of hostile) {
        const entry = { ...ENTRY, [field]: `a${String.fromCharCode(code)}b` };
        for (const line of [accessLine(entry), accessSummary(entry), combinedLine(entry, TIME)]) {
          expect(line).not.toMatch(unsafe);
        }
      }
    },
  );

  it("and the rest is left as it is, so that an address in any script is read as it was sent", () => {
    expect(accessLine({ ...ENTRY, uri: "/gr\u00fc\u00df/\u65e5\u672c?a=%0a" })).toContain(
      " /gr\u00fc\u00df/\u65e5\u672c?a=%0a ",
    );
  });
});

describe("accessFields()", () => {
  it("has what is known, and nothing else", () => {
    expect(accessFields(ENTRY)).toEqual(ENTRY);
    expect(accessFields({ ...ENTRY, detail: "no" })).toEqual({ ...ENTRY, detail: "no" });
    expect(Object.keys(accessFields(REFUSED))).toEqual([
      "method",
      "uri",
      "version",
      "status",
      "remoteIp",
      "outcome",
    ]);
  });

  it("reads what an entry derives when asked", () => {
    class Entry implements AccessEntry {
      readonly method = "GET";
      readonly uri = "/";
      readonly version = "HTTP/1.1";
      readonly status = 200;
      readonly remoteIp = "::1";
      get referer(): string {
        return "http://a/";
      }
    }
    expect(accessFields(new Entry())).toMatchObject({ referer: "http://a/" });
  });
});

describe("logAccess()", () => {
  it.each([
    [0, undefined, "info"],
    [399, undefined, "info"],
    [399, "wrong", "warn"],
    [400, undefined, "warn"],
    [499, "wrong", "warn"],
    [500, undefined, "error"],
    [500, "wrong", "error"],
  ])("writes %d, detail %s, as %s", (status, detail, level) => {
    const lines: string[] = [];
    const stream = { write: (line: string) => lines.push(line) > 0 };
    logAccess(createLogger({ name: "tw.access", stream, format: "json" }), { ...ENTRY, status, detail });
    const msg = `${status || "-"} GET /a?b (127.0.0.1) 1.23ms${detail === undefined ? "" : `: ${detail}`}`;
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ level, msg }]);
  });
});
