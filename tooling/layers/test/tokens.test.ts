import { describe, expect, it } from "vitest";
import { tokenize } from "../src/tokens.mjs";

const texts = (source: string): string[] => tokenize(source).map(({ kind, text }) => `${kind} ${text}`);

describe("tokenize()", () => {
  it("drops comments and keeps counting their lines", () => {
    expect(tokenize("/* a\n b */ x // y\n/** z */ w").map(({ text, line }) => [text, line])).toEqual([
      ["x", 2],
      ["w", 3],
    ]);
  });

  it("takes a string as one token, escapes, other quotes and continued lines included", () => {
    expect(texts(`"a\\"b'" 'c\\\nd' e`)).toEqual([`string a\\"b'`, "string c\\\nd", "word e"]);
    expect(tokenize(`'c\\\nd' e`)[1]?.line).toBe(2);
  });

  it("ends an unterminated string at the end of its line", () => {
    expect(texts(`'open\nnext`)).toEqual(["string open", "word next"]);
  });

  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: the placeholders are what is tokenized
  it("sees code within a template and none in its text", () => {
    expect(texts("`a ${b + `c ${d}`} e` f")).toEqual([
      "template ",
      "word b",
      "punctuation +",
      "template ",
      "word d",
      "template ",
      "template  e",
      "word f",
    ]);
  });

  it("keeps an object's braces apart from those of a template", () => {
    expect(texts("`${{ a: 1 }}b` c").slice(-2)).toEqual(["template b", "word c"]);
  });

  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: the placeholders are what is tokenized

  it.each([
    [
      "a regular expression after `=`",
      'x = /[/"]+/g; y',
      ["word x", "punctuation =", 'regexp /[/"]+/g', "punctuation ;", "word y"],
    ],
    ["a regular expression after `return`", "return /'/", ["word return", "regexp /'/"]],
    [
      "a regular expression after `if (…)`",
      "if (a) /'/",
      ["word if", "punctuation (", "word a", "punctuation )", "regexp /'/"],
    ],
    [
      "a division after a name",
      "a / b / c",
      ["word a", "punctuation /", "word b", "punctuation /", "word c"],
    ],
    [
      "a division after a call",
      "f() / 2",
      ["word f", "punctuation (", "punctuation )", "punctuation /", "number 2"],
    ],
  ])("tells %s", (_, source, expected) => {
    expect(texts(source)).toEqual(expected);
  });

  it("tells a spread from a member and `?.` from a conditional number", () => {
    expect(texts("...a?.b ? .5 : 1")).toEqual([
      "punctuation ...",
      "word a",
      "punctuation ?.",
      "word b",
      "punctuation ?",
      "number .5",
      "punctuation :",
      "number 1",
    ]);
  });
});
