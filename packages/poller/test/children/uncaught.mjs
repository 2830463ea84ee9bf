// Nobody catches: the process must end as it does for any other callback.
import { loadPoller, READ } from "../../dist/index.js";

const poller = loadPoller();
const [a, b] = poller.socketpair();
poller.watch(b, READ, {
  onEvents() {
    throw new Error("from a sink");
  },
});
poller.writev(a, ["x"], 0);
