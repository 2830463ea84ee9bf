import { HTTPHeaders } from "@tw/httputil";
import { bindSockets } from "@tw/tcp";
import { onEveryEngine } from "@tw/tooling-testing";
import { expect, it } from "vitest";
import { HTTPServer } from "../src/index.js";

onEveryEngine((engine) => {
  const hello = () =>
    new HTTPServer(
      (request) => {
        const headers = new HTTPHeaders({ "Content-Length": "5" });
        request.connection.writeHeaders({ version: "HTTP/1.1", code: 200, reason: "OK" }, headers, "hello");
        request.connection.finish();
      },
      { engine },
    );

  it("addSockets() serves on sockets bound elsewhere, and close() closes them", async () => {
    const sockets = await bindSockets(0, "127.0.0.1", { engine });
    const server = hello();
    server.addSockets(sockets);
    const url = `http://127.0.0.1:${server.port}/`;
    expect(await (await fetch(url)).text()).toBe("hello");
    await server.close();
    await expect(fetch(url)).rejects.toThrow();
  });

  it("addSockets() refuses a socket that another server has", async () => {
    const sockets = await bindSockets(0, "127.0.0.1", { engine });
    await using first = hello();
    first.addSockets(sockets);
    await using second = hello();
    expect(() => second.addSockets(sockets)).toThrow(
      expect.objectContaining({ code: "ERR_TW_SOCKET_TAKEN" }),
    );
  });

  it("addSockets() after close() serves again", async () => {
    await using server = hello();
    await server.listen(0, "127.0.0.1");
    await server.close();
    server.addSockets(await bindSockets(0, "127.0.0.1", { engine }));
    expect(await (await fetch(`http://127.0.0.1:${server.port}/`)).text()).toBe("hello");
  });
});
