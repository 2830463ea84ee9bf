// A byte arrives later; nothing but the registration can keep the process alive until then. Where it must not, the byte
// comes so late that a process which nothing holds has ended, however slow the machine is.
import { loadPoller, READ } from "../../dist/index.js";

const poller = loadPoller();
const [a, b] = poller.socketpair();
const mode = process.argv[2];
const held = ["ref", "unref and ref", "unref twice and ref", "mask 0"].includes(mode);
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
setTimeout(
  () => {
    if (mode === "mask 0") poller.modify(handle, READ);
    poller.writev(a, ["x"], 0);
  },
  held ? 40 : 5000,
).unref();
process.on("exit", () => void c);
