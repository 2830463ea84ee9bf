// The operating system's network, on either engine.

import type { IOLoop } from "@tw/ioloop";
import { nativeEngine } from "@tw/iostream/transports";
import { chooseEngine } from "./engine.js";
import { nativeConnect } from "./native/connect.js";
import { nativeListen } from "./native/listen.js";
import type { EngineChoice, Network } from "./network.js";
import { nodeConnect } from "./node/connect.js";
import { nodeListen } from "./node/listen.js";
import { resolveHost } from "./node/resolve.js";

/** The network of the machine we run on. */
export function realNetwork(loop: IOLoop): Network {
  const native = (choice: EngineChoice) => {
    return chooseEngine(loop, choice) === "native" ? nativeEngine(loop) : undefined;
  };
  return {
    async listen(options, onConnection) {
      const engine = native(options.engine);
      if (engine === undefined) return await nodeListen(loop, options, onConnection);
      return await nativeListen(engine, options, onConnection);
    },
    async connect(options) {
      const engine = native(options.engine);
      if (engine === undefined) return await nodeConnect(loop, options);
      return await nativeConnect(engine, options);
    },
    resolve: resolveHost,
  };
}
