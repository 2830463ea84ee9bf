// The operating system's network, on either engine.

import type { IOLoop } from "@tw/ioloop";
import { chooseEngine, nativeEngine } from "@tw/iostream/transports";
import { adoptDescriptor } from "./native/bind.js";
import { nativeConnect } from "./native/connect.js";
import { nativeListen } from "./native/listener.js";
import type { EngineChoice, Network } from "./network.js";
import { nodeConnect } from "./node/connect.js";
import { nodeListen } from "./node/listener.js";
import { resolveHost } from "./node/resolve.js";
import { removeStaleSocket } from "./unix-path.js";

/** The network of the machine we run on. */
export function realNetwork(loop: IOLoop): Network {
  const native = (choice: EngineChoice) => {
    return chooseEngine(loop, choice) === "native" ? nativeEngine(loop) : undefined;
  };
  return {
    async listen(options, onConnection) {
      const engine = native(options.engine);
      const { fd, backlog } = options;
      // Node closes a descriptor that it cannot listen on; where there is a poller it is asked first.
      if (fd !== undefined && loop.poller !== undefined)
        await adoptDescriptor(loop, loop.poller, fd, backlog);
      const hasFile =
        options.family === "unix" && options.fd === undefined && !options.address.startsWith("\0");
      if (hasFile) await removeStaleSocket(options.address);
      if (engine === undefined) return await nodeListen(loop, options, onConnection);
      return nativeListen(engine, options, onConnection);
    },
    async connect(options) {
      const engine = native(options.engine);
      if (engine === undefined) return await nodeConnect(loop, options);
      return await nativeConnect(engine, options);
    },
    resolve: resolveHost,
  };
}
