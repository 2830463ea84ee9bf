import { expect, it, vi } from "vitest";
import * as log from "../src/index.js";

it("accessLogger, appLogger and generalLogger write to stderr under Tornado's names", () => {
  const texts: string[] = [];
  const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    texts.push(String(text));
    return true;
  });
  log.accessLogger.info("a");
  log.appLogger.info("b");
  log.generalLogger.info("c");
  write.mockRestore();
  expect(texts).toHaveLength(3);
  for (const [i, name] of ["tw.access", "tw.application", "tw.general"].entries())
    expect(texts[i]).toContain(name);
});

it("exports these names and no others", () => {
  expect(Object.keys(log).sort()).toEqual([
    "accessFields",
    "accessLine",
    "accessLogger",
    "accessSummary",
    "appLogger",
    "combinedLine",
    "createLogger",
    "escapeControls",
    "generalLogger",
    "logAccess",
    "logContext",
    "nullLogger",
    "withLogContext",
  ]);
});

it("escapeControls() leaves printable text alone, in any script", () => {
  for (const text of ["", "GET /a?b=c", "Zürich 日本 🌪", "\\u001b"])
    expect(log.escapeControls(text)).toBe(text);
});
