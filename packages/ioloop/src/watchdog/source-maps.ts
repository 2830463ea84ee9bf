// Places in the code before it was compiled, where Node keeps source maps (`--enable-source-maps`, tsx).

import { findSourceMap } from "node:module";
import { fileURLToPath } from "node:url";
import type { CodePosition } from "./report.js";

/** The place in the source, or the same place where no map is known. */
export function mapped(position: CodePosition): CodePosition {
  try {
    const { url, line, column } = position;
    const path = url.startsWith("file:") ? fileURLToPath(url) : url;
    // Node keeps maps by path or by URL, as the module was loaded.
    const map = findSourceMap(url) ?? findSourceMap(path);
    const entry = map?.findEntry(line - 1, Math.max(column - 1, 0));
    if (entry === undefined || !("originalSource" in entry)) return position;
    const { originalSource, originalLine, originalColumn } = entry;
    return { ...position, url: originalSource, line: originalLine + 1, column: column && originalColumn + 1 };
  } catch {
    return position;
  }
}
