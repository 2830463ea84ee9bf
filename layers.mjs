// The layers, as a statement of intent: a package imports packages of earlier lines only, never of its own line.
// tooling/layers/check.mjs reads this file and every import of every package, and fails `npm test` on a violation.

export const layers = [
  ["util"],
  ["escape", "poller"],
  ["httputil", "log"],
  ["http1", "wsproto", "routing"],
  ["ioloop"],
  ["gen"],
  ["locks"],
  ["queues"],
  ["iostream"],
  ["tcp"],
  ["http1connection", "process"],
  ["httpserver", "httpclient"],
  ["web"],
  ["websocket"],
  ["tornado"],
  ["testing"],
];

// No sockets, timers, clocks, randomness, crypto, no `node:` import: these run in a browser and in a worker as they are.
export const pure = ["util", "escape", "httputil", "http1", "wsproto", "routing"];

// Who may reach for Node's own network modules, by folder below packages/.
export const nodeImports = {
  "node:net": ["tcp/src/", "iostream/src/transports/node/"],
  "node:tls": ["tcp/src/", "iostream/src/transports/node/"],
  "node:dns": ["tcp/src/"],
  "node:http": [],
  "node:https": [],
  "node:http2": [],
};

// The files below packages/ that may import() a computed name, because importing what the application names is what
// they are for. Everywhere else it would be a way around this file.
export const computedImports = ["ioloop/src/executor/worker.ts"];

// The files that may make themselves a require(): the compiled addon has no other way in.
export const requires = ["poller/src/native.ts"];
