// A byte arrives after 40 ms; nothing but the registration can keep the process alive until then.
import { loadPoller, READ } from "../../dist/index.js";

const poller = loadPoller();
const [a, b] = poller.socketpair();
const mode = process.argv[2];
const woke = (handle) => {
  console.log("woke");
  poller.close(handle);
};
const handle = poller.watch(b, READ, { onEvents: () => woke(handle) });
const [c, d] = poller.socketpair();
const other = poller.watch(d, READ, { onEvents: () => woke(other) });
poller.setRef(other, false);
if (mode === "unref") poller.setRef(handle, false);
if (mode === "unref twice") for (let i = 0; i < 2; i++) poller.setRef(handle, false);
if (mode === "unref and ref") for (const ref of [false, true]) poller.setRef(handle, ref);
if (mode === "unref twice and ref") for (const ref of [false, false, true]) poller.setRef(handle, ref);
if (mode === "unwatch") poller.unwatch(handle);
if (mode === "close") poller.close(handle);
if (mode === "mask 0") poller.modify(handle, 0);
if (mode === "unref and wake") {
  poller.setRef(handle, false);
  poller.wake(handle);
}
if (mode === "unref and close") {
  poller.setRef(handle, false);
  poller.close(handle);
}
setTimeout(() => {
  if (mode === "mask 0") poller.modify(handle, READ);
  poller.writev(a, ["x"], 0);
}, 40).unref();
process.on("exit", () => void c);
