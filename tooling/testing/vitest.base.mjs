import { fileURLToPath } from "node:url";

const summary = fileURLToPath(new URL("./summary-reporter.mjs", import.meta.url));

export default {
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", summary],
    testTimeout: 15_000,
    hookTimeout: 15_000,
    expect: { poll: { timeout: 10_000 } },
    unstubEnvs: true,
  },
};
