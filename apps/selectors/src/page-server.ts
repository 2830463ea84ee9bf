// Somebody to talk to: one page on a free port. It runs on the same loop as the client, as everything in this thread does.

import { HTTPServer } from "@tw/httpserver";
import { HTTPHeaders } from "@tw/httputil";
import type { IOLoop } from "@tw/ioloop";

const PAGE = "<!doctype html><title>selectors</title><p>Served and fetched by one loop.</p>\n";

/** Serves {@link PAGE} at every path of 127.0.0.1. */
export async function servePage(loop: IOLoop): Promise<HTTPServer> {
  const server = new HTTPServer(
    (request) => {
      const headers = new HTTPHeaders({ "Content-Type": "text/html", "Content-Length": String(PAGE.length) });
      request.connection.writeHeaders({ version: "HTTP/1.1", code: 200, reason: "OK" }, headers, PAGE);
      request.connection.finish();
    },
    { loop },
  );
  await server.listen(0, "127.0.0.1");
  return server;
}
