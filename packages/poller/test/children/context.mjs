// The poller is first asked for inside somebody's context; no handler may find itself in it.
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { loadPoller, READ } from "../../dist/index.js";

const storage = new AsyncLocalStorage();
const seen = [];
const resources = [new AsyncResource("first"), new AsyncResource("second")];
storage.run("whoever asked first", () => {
  const poller = loadPoller();
  for (const [i, resource] of resources.entries()) {
    const [a, b] = poller.socketpair();
    const handle = poller.watch(b, READ, {
      onEvents() {
        seen.push(storage.getStore() ?? "none");
        // What the layers above do: a resource per handler keeps enterWith() from reaching the next one.
        resource.runInAsyncScope(() => {
          seen.push(storage.getStore() ?? "none");
          storage.enterWith(`entered by ${i}`);
        });
        poller.close(handle);
      },
    });
    poller.writev(a, ["x"], 0);
  }
});
// Each handler closes its handle: when both have run, nothing holds the process.
process.on("exit", () => console.log(seen.join()));
