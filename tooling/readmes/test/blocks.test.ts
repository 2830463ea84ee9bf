import { describe, expect, it } from "vitest";
import { blocksOf, filesOf, runnable } from "../src/blocks.mjs";

describe("blocksOf()", () => {
  it("gives the blocks of TypeScript and JavaScript, with the lines that they begin on", () => {
    const markdown =
      "# a\n\n```ts\nconst a = 1;\n```\n\n```sh\nnpm start\n```\n\n```js\nlet b;\n\nb = 2;\n```\n";
    expect(blocksOf(markdown)).toEqual([
      { language: "ts", source: "const a = 1;\n", line: 4 },
      { language: "js", source: "let b;\n\nb = 2;\n", line: 12 },
    ]);
  });

  it("gives none of a text without any", () => {
    expect(blocksOf("`ts` and\n\n```sh\n1\n```\n")).toEqual([]);
  });
});

describe("filesOf()", () => {
  it("is one file, or those that lines of comments name", () => {
    expect(filesOf("a;\n// b.mjs is another\n")).toEqual([
      { name: "main.mjs", source: "a;\n// b.mjs is another\n" },
    ]);
    expect(filesOf("// a.mjs\n1;\n\n// b.mjs\n2;\n")).toEqual([
      { name: "a.mjs", source: "1;\n\n" },
      { name: "b.mjs", source: "2;\n" },
    ]);
  });
});

describe("runnable()", () => {
  it("takes another port, and waits for no signal", () => {
    const source = "await server.listen(8888);\nawait IOLoop.current().start(); // drains\n";
    expect(runnable(source, 9)).toBe(
      "await server.listen(9);\nIOLoop.current(); // drains\n\nprocess.exit(0);\nexport {};\n",
    );
  });
});
