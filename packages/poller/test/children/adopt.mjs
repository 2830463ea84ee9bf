// A FIFO that nobody writes to, opened for both directions, blocks whoever reads it.
import { execFileSync } from "node:child_process";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadPoller } from "../../dist/index.js";

const poller = loadPoller();
const folder = mkdtempSync(join(tmpdir(), "tw-poller-"));
execFileSync("mkfifo", [join(folder, "fifo")]);
const fd = openSync(join(folder, "fifo"), "r+");
rmSync(folder, { recursive: true });
console.log(poller.adopt(fd), poller.errnoName(poller.read(fd, new Uint8Array(1), 0, 1)));
