import base from "../../tooling/testing/vitest.base.mjs";

// Transports over real sockets are examined side by side: most of their time is waiting for what must not happen.
// Files share a process: starting one for each took longer than most of them.
export default { test: { ...base.test, maxConcurrency: 20, isolate: false } };
