// As many pipes as descriptors allow (9500 at most): all are watched, all get a byte, all are reported once.
import { loadPoller, READ } from "../../dist/index.js";

const poller = loadPoller();
const pipes = [];
for (let made = poller.pipe(); pipes.length < 9500 && typeof made !== "number"; made = poller.pipe())
  pipes.push(made);
const byte = new Uint8Array(1);
let reported = 0;
const sink = { onEvents() {} };
const before = process.memoryUsage().rss;
const handles = pipes.map(([reader]) => poller.watch(reader, READ, sink));
const each = (process.memoryUsage().rss - before) / pipes.length;
for (const handle of handles) poller.unwatch(handle);
for (const [reader, writer] of pipes) {
  const handle = poller.watch(reader, READ, {
    onEvents() {
      reported += poller.read(reader, byte, 0, 1);
      poller.close(handle);
      poller.closeFd(writer);
    },
  });
}
for (const [, writer] of pipes) poller.writev(writer, ["x"], 0);
process.on("exit", () =>
  console.log(JSON.stringify({ pipes: pipes.length, reported, size: poller.size, each: Math.round(each) })),
);
