// For packages whose test files share a process: starting one for each takes longer than most of them.
import base from "./vitest.base.mjs";

export default { test: { ...base.test, isolate: false } };
