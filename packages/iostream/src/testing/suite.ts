// The examination of a Transport against the contract in transport.ts: the numbers in the names are its lines.

import { contextTest, ending } from "./ending.js";
import { type ConformanceOptions, Examiner, type MakePair, type TestRunner } from "./examiner.js";
import { files } from "./files.js";
import { pages } from "./pages.js";
import { reading } from "./reading.js";
import { writing } from "./writing.js";

/** Declares the tests of one section. */
export type Define = (
  test: (name: string, run: (examiner: Examiner) => void | Promise<void>) => void,
) => void;

/**
 * Declares the suite that every {@link Transport} has to pass.
 *
 * @example
 * import { virtualLoop } from "@tw/ioloop/testing";
 * import { describe, it } from "vitest";
 *
 * transportConformance("memory", () => {
 *   const { loop, host } = virtualLoop();
 *   const [a, b] = memoryPair(loop);
 *   return { a, b, resets: true, settle: () => host.advance(1) };
 * }, { describe, it });
 */
export function transportConformance(
  name: string,
  makePair: MakePair,
  { describe, it }: TestRunner,
  options: ConformanceOptions = {},
): void {
  const test = (title: string, run: (examiner: Examiner) => void | Promise<void>): void =>
    it(title, async () => {
      const examiner = new Examiner(await makePair());
      await run(examiner);
      await examiner.finish();
    });
  describe(`Transport contract: ${name}`, () => {
    reading(test);
    writing(test);
    if (options.sendsFiles === true) files(test);
    if (options.writesPages === true) pages(test);
    ending(test);
    it("calls run in the async context of whoever made the transport", contextTest(makePair));
  });
}
