import base from "../../tooling/testing/vitest.base.mjs";

// Transports over real sockets are examined side by side: most of their time is waiting for what must not happen.
export default { test: { ...base.test, maxConcurrency: 20 } };
