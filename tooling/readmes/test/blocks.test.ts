import { describe, expect, it } from "vitest";
import { blocksOf, runnable } from "../src/blocks.mjs";

describe("blocksOf()", () => {
  it("gives the blocks of TypeScript, with the lines that they begin on", () => {
    const markdown =
      "# a\n\n```ts\nconst a = 1;\n```\n\n```sh\nnpm start\n```\n\n```ts\nlet b;\n\nb = 2;\n```\n";
    expect(blocksOf(markdown)).toEqual([
      { source: "const a = 1;\n", line: 4 },
      { source: "let b;\n\nb = 2;\n", line: 12 },
    ]);
  });

  it("gives none of a text without any", () => {
    expect(blocksOf("`ts` and\n\n```js\n1\n```\n")).toEqual([]);
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
