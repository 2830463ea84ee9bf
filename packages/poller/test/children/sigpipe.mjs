// With the default action for SIGPIPE, which removing a listener restores, one signal ends the process.
import { closeSync, openSync } from "node:fs";
import { loadPoller } from "../../dist/index.js";

const poller = loadPoller();
const listener = () => {};
process.on("SIGPIPE", listener);
process.off("SIGPIPE", listener);
const [a, b] = poller.socketpair();
const [reader, writer] = poller.pipe();
const [c, d] = poller.socketpair();
for (const fd of [b, reader, d]) poller.closeFd(fd);
const file = openSync(new URL(import.meta.url), "r");
const results = [
  poller.writev(a, ["x"], 0),
  poller.writev(writer, ["x", "y"], 0),
  poller.sendfile(c, file, 0, 10),
];
closeSync(file);
setTimeout(() => console.log(...results.map((result) => poller.errnoName(result)), "alive"), 20);
