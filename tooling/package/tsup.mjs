// How every package is built: ESM for Node 20, one file per entry, maps beside it. Declarations come from tsc.
import { defineConfig } from "tsup";
import { constants } from "./constants.mjs";

export const packageConfig = (...entry) =>
  defineConfig({
    entry,
    format: ["esm"],
    dts: false,
    sourcemap: true,
    clean: true,
    target: "node20",
    splitting: true,
    removeNodeProtocol: false, // bundlers and other runtimes take a bare "buffer" for a package
    plugins: [constants()],
  });
