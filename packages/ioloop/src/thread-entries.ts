// Where the files are that threads start with. This file and the one it is bundled into are equally far from them.
//
// Bundlers that know `new URL(…, import.meta.url)` carry such a file along; see the README for others. One that makes
// CommonJS may leave no `import.meta.url`, so nobody is asked before a thread is to start.

/** @throws TypeError in a bundle that does not know where it is */
export function executorEntry(): URL {
  checkPlace();
  return new URL("./executor/worker.js", import.meta.url);
}

/** @throws TypeError in a bundle that does not know where it is */
export function watchdogEntry(): URL {
  checkPlace();
  return new URL("./watchdog/worker.js", import.meta.url);
}

/** What a thread fails with whose entry is not there. */
export function missingEntry(entry: URL): string {
  return `Cannot start threads: there is no ${entry.href}. Where the package is bundled, carry this file along, or name it with the option entry`;
}

function checkPlace(): void {
  if ((import.meta as { url?: string }).url !== undefined) return;
  throw new TypeError("This bundle does not know where it is: name the file with the option entry");
}
