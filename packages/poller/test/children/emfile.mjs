// Uses up the descriptors with one connection waiting to be accepted.
import { loadPoller, READ } from "../../dist/index.js";

const poller = loadPoller();
const server = poller.socket(4);
poller.bind(server, "127.0.0.1", 0);
poller.listen(server, 16);
const client = poller.socket(4);
poller.connect(client, "127.0.0.1", poller.getsockname(server).port);
const made = [];
for (let fd = poller.socket(0); fd >= 0; fd = poller.socket(0)) made.push(fd);
const answers = [poller.socket(4), poller.pipe(), poller.socketpair(), poller.accept(server)];
const handle = poller.watch(server, READ, {
  onEvents() {
    const accepted = poller.accept(server);
    console.log(
      ...answers.map((answer) => poller.errnoName(answer)),
      typeof accepted === "number" ? accepted : "accepted",
    );
    poller.close(handle);
  },
});
for (const fd of made) poller.closeFd(fd);
