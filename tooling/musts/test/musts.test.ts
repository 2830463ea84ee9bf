import { describe, expect, it } from "vitest";
import { findFaults } from "../src/faults.mjs";
import { idsIn, markCorpus, markSource, markTests } from "../src/markers.mjs";
import { renderTable } from "../src/table.mjs";

const rfc = {
  number: 9112,
  title: "HTTP/1.1",
  sentences: { "6.3": 2, "10.1": 1 },
  ours: { "6.3 (1)": "Both | are ignored." },
  notOurs: [{ who: "others", why: "nobody", which: ["10.1 (1)", "6.3 (2)"] }],
};
const source = { id: "9112 6.3 (1)", file: "http1/src/a.ts", line: 3, text: "if (a || b) return `c`;" };
const proof = { id: "9112 6.3 (1)", file: "http1/test/a.test.ts", line: 9, text: "ignores <both>" };

describe("markers", () => {
  it("are citations with numbers, several in a line", () => {
    expect(idsIn("// RFC 9112 §6.3 (4), (5): x. RFC 9110 §5.6.1.2 (1) (2)")).toEqual([
      "9112 6.3 (4)",
      "9112 6.3 (5)",
      "9110 5.6.1.2 (1)",
      "9110 5.6.1.2 (2)",
    ]);
    expect(idsIn("// RFC 9112 §6.3: x (4). RFC 9111 §3 (1)")).toEqual([]);
  });

  it("in a source stand above the line that obeys, or behind it", () => {
    const text = [
      "  // RFC 9112 §2 (1): x",
      "  // more",
      "",
      "  obey();",
      "also(); // RFC 9112 §2 (2)",
      "/** RFC 9112 §2 (3)",
      " */",
    ];
    const seen = markSource("a/src/b.ts", text.join("\n")).map(({ id, line, text: code }) => [
      id,
      line,
      code,
    ]);
    expect(seen).toEqual([
      ["9112 2 (1)", 1, "obey();"],
      ["9112 2 (2)", 5, "also();"],
      ["9112 2 (3)", 6, ""],
    ]);
  });

  it("in a test stand in its name, or in a comment above", () => {
    const text = [
      'it("RFC 9112 §2 (1): a \\"b\\"", () => {',
      "// RFC 9112 §2 (2)",
      "it.each([",
      '  "x",',
      '])("name %j", () => {',
      'it.each(["y"])("RFC 9112 §2 (3), RFC 9110 §2 (4): z", () => {',
      "const x = 'RFC 9112' // RFC 9112 §2 (5)",
    ];
    const seen = markTests("a/test/b.test.ts", text.join("\n")).map(({ id, text: name }) => [id, name]);
    expect(seen).toEqual([
      ["9112 2 (1)", 'a \\"b\\"'],
      ["9112 2 (2)", "name %j"],
      ["9112 2 (3)", "z"],
      ["9110 2 (4)", "z"],
      ["9112 2 (5)", ""],
    ]);
  });

  it("in a corpus stand below a heading", () => {
    expect(markCorpus("c.md", "## A case\n\nRFC 9112 §2 (1).\n")).toEqual([
      { id: "9112 2 (1)", file: "c.md", line: 3, text: "A case" },
    ]);
  });
});

describe("findFaults", () => {
  it("finds nothing where every sentence is in one list, obeyed and proved", () => {
    expect(findFaults([rfc], [source], [proof])).toEqual([]);
  });

  it("names what has no line, and what has no proof", () => {
    expect(findFaults([rfc], [], [proof])).toEqual(["RFC 9112 §6.3 (1): no line obeys it"]);
    expect(findFaults([rfc], [source], [])).toEqual(["RFC 9112 §6.3 (1): nothing proves it"]);
  });

  it("names sentences in no list or two, and entries that are no sentence", () => {
    const more = { ...rfc, sentences: { "6.3": 3, "10.1": 1 } };
    expect(findFaults([more], [source], [proof])).toEqual(["RFC 9112 §6.3 (3): in no list"]);
    const less = { ...rfc, sentences: { "6.3": 2 } };
    expect(findFaults([less], [source], [proof])).toEqual(["RFC 9112 §10.1 (1): no such sentence"]);
    const twice = { ...rfc, notOurs: [...rfc.notOurs, { who: "x", why: "y", which: ["6.3 (1)"] }] };
    expect(findFaults([twice], [source], [proof])).toEqual(["RFC 9112 §6.3 (1): in two lists"]);
  });

  it("names markers of no requirement, and markers beside nothing", () => {
    const stray = { ...source, id: "9112 6.3 (2)" };
    expect(findFaults([rfc], [source, stray], [proof])).toEqual([
      "packages/http1/src/a.ts:3: RFC 9112 §6.3 (2) is no requirement of the list",
    ]);
    expect(findFaults([rfc], [source, { ...source, text: "" }], [proof])).toEqual([
      "packages/http1/src/a.ts:3: RFC 9112 §6.3 (1) stands beside nothing",
    ]);
  });
});

describe("renderTable", () => {
  it("quotes lines and names, with what Markdown would take for its own escaped", () => {
    const text = renderTable([rfc], [source, source], [proof]);
    expect(text).toContain(
      "| 6.3 (1) | Both \\| are ignored. | `http1/src/a.ts` `` if (a \\|\\| b) return `c`; `` | `http1/test/a.test.ts` ignores &lt;both> |\n",
    );
    expect(text).toContain("- **others**: nobody. §§ 6.3 (2), 10.1 (1).\n");
  });
});
