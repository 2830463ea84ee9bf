// What the bundler made variables of, and what may be a constant again.
import { describe, expect, it } from "vitest";
import { withConstants } from "../../package/constants.mjs";

/** The keyword that `x` is declared with in what becomes of `code`. */
function keywordOf(code: string): string | undefined {
  return /(var|const) x\b/.exec(withConstants(code))?.[1];
}

describe("withConstants()", () => {
  it("makes a constant of what is declared once and never assigned", () => {
    expect(withConstants("var x = 1;\nvar y = class {\n};\nlet z = 2;")).toBe(
      "const x=1;\nconst y=class {\n};\nlet z = 2;",
    );
  });

  it("keeps every other byte in its place", () => {
    const code =
      "var a = /* @__PURE__ */ new Map();\nfunction f() {\n  return a;\n}\nvar b;\nvar c = 1, d = 2;\n";
    const result = withConstants(code);
    expect(result.length).toBe(code.length);
    expect(result.replace("const a=", "var a = ")).toBe(code);
  });

  for (const assignment of [
    "x = 2",
    "x += 2",
    "x ??= 2",
    "x++",
    "--x",
    "[x] = [2]",
    "[, ...x] = []",
    "({ x } = {})",
    "({ y: [x = 3] } = {})",
    "for (x of []);",
    "for (x in {});",
  ]) {
    it(`leaves alone what is assigned: ${assignment}`, () => {
      expect(keywordOf(`var x = 1;\nfunction f(y) {\n  ${assignment};\n}`)).toBe("var");
    });
  }

  for (const use of ["x.y = 2", "x[0]++", "[x.y] = [2]", "y = x", "for (y of x);", "x === 2", "f(x)"]) {
    it(`makes a constant of what is only used: ${use}`, () => {
      expect(keywordOf(`var x = 1;\nfunction f(y) {\n  ${use};\n}`)).toBe("const");
    });
  }
});
