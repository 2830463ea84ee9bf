// What a page or a worker does with headers, for the compiler alone: its `Headers` iterates with an `IteratorObject`.

import { HTTPHeaders } from "../../src/index.js";

const headers: Headers = new HTTPHeaders({ "Content-Type": "text/plain" });

export const uses: unknown[] = [
  new Response("hi", { headers: new HTTPHeaders() }),
  new Request("/", { headers }),
  new Headers(new HTTPHeaders()),
  new HTTPHeaders(new Headers()),
  Object.fromEntries(new HTTPHeaders()),
];
