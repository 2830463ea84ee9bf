// What a peer can do with the values of fields, and what a program can do with those it sends: the rules on cookies,
// fields and reasons, on the wire.

import {
  CookieError,
  HTTPFieldError,
  HTTPHeaders,
  type HTTPServerRequest,
  serializeCookie,
} from "@tw/httputil";
import { describe, expect, it } from "vitest";
import type { HTTPServerOptions } from "../src/index.js";
import { answer, type Bench, codes, OK, onEveryCarrier } from "./harness.js";

type Ask = (request: HTTPServerRequest) => unknown;

/** Sends fields, and gives the answer's body: what `ask` made of the request, as JSON. */
async function asked(
  bench: Bench,
  fields: string,
  ask: Ask,
  options: HTTPServerOptions = {},
): Promise<unknown> {
  const server = await bench.serve(
    (request) => answer(request.connection, ascii(JSON.stringify(ask(request)))),
    options,
  );
  const text = await bench.transcript(server, [
    `GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields}\r\n`,
  ]);
  expect(codes(text)).toEqual([200]);
  return JSON.parse(text.slice(text.indexOf("\r\n\r\n") + 4));
}

function ascii(json: string): string {
  return json.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Lets a program answer, and gives what came over the wire. */
async function answered(bench: Bench, program: (request: HTTPServerRequest) => void): Promise<string> {
  const server = await bench.serve(program);
  return await bench.transcript(server, ["GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"]);
}

const BAD = ["\r\nX-Evil: 1", "\r", "\n", "\0", "\x7f", "\u20ac", "\r\n\r\n<script>"];

onEveryCarrier((bench) => {
  describe("cookies", () => {
    const cookies: Ask = (request) => [...request.cookies];

    it("S-14: 60 000 backslashes in quotes are read, each pair as one", async () => {
      const [[name, value]] = (await asked(bench, `Cookie: a="${"\\".repeat(60_000)}"\r\n`, cookies)) as [
        [string, string],
      ];
      expect([name, value]).toEqual(["a", "\\".repeat(30_000)]);
    });

    it("S-14: octal goes from \\000 to \\377", async () => {
      expect(await asked(bench, `${String.raw`Cookie: a="\101\054\377\400\8"`}\r\n`, cookies)).toEqual([
        ["a", "A,\xff4008"],
      ]);
    });

    it("S-15: no bracket, comma, quote or backslash hides the cookie behind it, and the last of a name wins", async () => {
      const fields = 'Cookie: a=[; b="x; _xsrf=old; c={"y":1,"z; d=\\; _xsrf=t; e="\r\n';
      expect(await asked(bench, fields, cookies)).toEqual([
        ["a", "["],
        ["b", '"x'],
        ["_xsrf", "t"],
        ["c", '{"y":1,"z'],
        ["d", "\\"],
        ["e", '"'],
      ]);
    });

    it("D14: names that no server can have set are left out, and several fields are one", async () => {
      const fields = "Cookie: a=1; bare; =v; b c=d; a=2\r\nCookie: f=g\r\n";
      expect(await asked(bench, fields, cookies)).toEqual([
        ["a", "2"],
        ["f", "g"],
      ]);
    });

    it("S-16: what would smuggle an attribute throws, and nothing of it is sent", async () => {
      const text = await answered(bench, ({ connection }) => {
        const headers = new HTTPHeaders({ "X-Before": "1" });
        for (const evil of ["; Domain=evil", ...BAD]) {
          expect(() => serializeCookie(`a${evil}`, "v")).toThrow(CookieError);
          expect(() => serializeCookie("a", "v", { path: `/${evil}` })).toThrow(CookieError);
          expect(() => serializeCookie("a", "v", { domain: `x${evil}` })).toThrow(CookieError);
          expect(() => serializeCookie("a", "v", { sameSite: `Lax${evil}` as "Lax" })).toThrow(CookieError);
        }
        headers.add("Set-Cookie", serializeCookie("a", 'v;"x', { path: "/" }));
        answer(connection, "ok", headers);
      });
      expect(text).toContain('\r\nSet-Cookie: a="v\\073\\"x"; Path=/\r\n');
      expect(text).not.toMatch(/evil/i);
    });

    it("D23: a value that no field can have throws at once, and becomes a 500", async () => {
      const text = await answered(bench, () => void serializeCookie("a", "\u20ac"));
      expect(codes(text)).toEqual([500]);
    });
  });

  describe("what a program sends", () => {
    it("S-22: a value with CR, LF, NUL or another control throws before anything is sent", async () => {
      const text = await answered(bench, ({ connection }) => {
        const headers = new HTTPHeaders();
        for (const evil of BAD) {
          for (const put of ["set", "add", "append"] as const) {
            for (const name of ["X-A", "Location", "Set-Cookie"])
              expect(() => headers[put](name, `/a${evil}`)).toThrow(HTTPFieldError);
          }
          expect(() => new HTTPHeaders({ "X-A": evil })).toThrow(HTTPFieldError);
        }
        answer(connection, "ok", headers);
      });
      expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n(?:[\w-]+: [\x20-\x7e]*\r\n)*\r\nok$/);
      expect(text).not.toMatch(/evil|script|Location|X-A/i);
    });

    it("S-24: a name that is no token throws, after a good one too", async () => {
      const text = await answered(bench, ({ connection }) => {
        const headers = new HTTPHeaders({ "X-Good": "1" });
        for (const evil of ["X Good", "X-Good:", "X-Good\r\nX-Evil", "", "\u20ac", "X-Goo\0"])
          expect(() => headers.set(evil, "1")).toThrow(HTTPFieldError);
        answer(connection, "ok", headers);
      });
      expect(text).toContain("\r\nX-Good: 1\r\n");
      expect(text).not.toMatch(/evil/i);
    });

    it("S-23: a reason with a control or < is Unknown, C16", async () => {
      for (const reason of ["a\r\nX-Evil: 1", "<b>evil</b>", "evil\t", "evil\x7f", "evil\u20ac"]) {
        const text = await answered(bench, ({ connection }) => {
          connection.writeHeaders({ ...OK, reason }, new HTTPHeaders({ "Content-Length": "0" }));
          connection.finish();
        });
        expect(text).toMatch(/^HTTP\/1\.1 200 Unknown\r\n/);
        expect(text).not.toMatch(/evil/i);
      }
    });

    it("Q7: names go out in Http-Header-Case, and are found in any", async () => {
      const text = await answered(bench, ({ connection }) =>
        answer(connection, "ok", new HTTPHeaders({ "x-fOO-bar": "1" })),
      );
      expect(text).toContain("\r\nX-Foo-Bar: 1\r\n");
    });
  });

  describe("many fields", () => {
    const repeated = (count: number) => "a: b\r\n".repeat(count);
    const count: Ask = ({ headers }) => [
      headers.getList("A").length,
      headers.get("A")?.length,
      [...headers].length,
    ];

    it("S-06: 60 000 repeated fields are read, where the limits are raised so far", async () => {
      const limits = { maxHeadSize: 1_000_000, maxHeaderFields: 100_000 };
      expect(await asked(bench, repeated(60_000), count, limits)).toEqual([60_000, 60_000 * 3 - 2, 3]);
    });

    it("S-06: by default 1000 fields are read, and one more is 431", async () => {
      expect(await asked(bench, repeated(998), count)).toEqual([998, 998 * 3 - 2, 3]);
      const server = await bench.serve(() => expect.fail("called"));
      expect(
        codes(await bench.transcript(server, [`GET / HTTP/1.1\r\nHost: a\r\n${repeated(1000)}\r\n`])),
      ).toEqual([431]);
    });
  });
});
