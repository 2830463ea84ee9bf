// Three sinks of one batch, where Node would warn of what runs ticks between them.
import { loadPoller, READ } from "../../dist/index.js";

const poller = loadPoller();
const ahead = poller.readAhead(64);
for (const lane of ahead.lanes) lane.into(new ArrayBuffer(64));
const log = [`lanes ${ahead.lanes.length}`];
const pairs = [0, 1, 2].map(() => poller.socketpair());
for (const [i, [, b]] of pairs.entries()) {
  const sink = {
    onEvents(_events, received) {
      if (received !== 3) log.push(`received ${received}`);
      log.push(`sink ${i}`);
      process.nextTick(() => log.push(`tick ${i}`));
      poller.close(handle);
    },
  };
  const handle = poller.watch(b, READ, sink, { edge: true });
  ahead.allow(handle, true);
}
for (const [a] of pairs) poller.writev(a, ["abc"], 0);
process.on("exit", () => console.log(log.join()));
