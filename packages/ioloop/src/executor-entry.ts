// Where the entry of an executor's threads is. This file and the one it is bundled into are equally far from it.

/** Bundlers that know `new URL(…, import.meta.url)` carry the file along; see the README for others. */
export const ENTRY: URL = new URL("./executor/worker.js", import.meta.url);
