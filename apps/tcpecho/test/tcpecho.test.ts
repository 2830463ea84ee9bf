import { once } from "node:events";
import { createConnection } from "node:net";
import { MACHINES, runSample, startSample, withoutPort } from "@tw/tooling-samples";
import { describe, expect, it } from "vitest";

/** Everything that the server says to these bytes, until it closes or resets. */
function ask(port: number, wire: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1", () => socket.end(wire, "latin1"));
    let heard = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      heard += text;
    });
    socket.on("error", (error: Error & { code?: string }) => resolve(`${heard}${error.code}`));
    socket.on("end", () => resolve(heard));
  });
}

describe.each(MACHINES)("tcpecho on $name", ({ env }) => {
  it("says back what its client says, and ends with 0 on SIGTERM", async () => {
    const server = await startSample("tcpecho", env);
    const client = await runSample("tcpecho", [String(server.port), "hello", "", "grüße"], env);
    expect(client).toEqual({ code: 0, signal: null, stdout: "hello\n\ngrüße\n", stderr: "" });
    expect(await ask(server.port, "a\r\nb\n")).toBe("a\nb\n");
    expect(await ask(server.port, `ok\n${"x".repeat(1023)}\n`)).toBe(`ok\n${"x".repeat(1023)}\n`);
    expect(await server.stop()).toMatchObject({ code: 0, stderr: "" });
  });

  it("ends with 0 on SIGTERM though a client stays, who has had its answers", async () => {
    const server = await startSample("tcpecho", env);
    const socket = createConnection(server.port, "127.0.0.1").on("error", () => undefined);
    socket.write("hello\n");
    expect(String((await once(socket, "data"))[0])).toBe("hello\n");
    const gone = new Promise((resolve) => socket.on("close", resolve));
    expect(await server.stop()).toMatchObject({ code: 0, stderr: "" });
    await gone;
  });

  it("ends the connection of a client whose line is too long, says why, and goes on", async () => {
    const server = await startSample("tcpecho", env);
    expect(await ask(server.port, `ok\n${"x".repeat(1024)}\n`)).toMatch(/^(ok\n)?(ECONNRESET)?$/);
    expect(await ask(server.port, "still\n")).toBe("still\n");
    const { code, stderr } = await server.stop();
    expect([code, stderr]).toEqual([0, expect.stringContaining("Frame is too large")]);
  });

  it("says in one line what is wrong with its port, and ends with 1", async () => {
    for (const { ending, expected } of await withoutPort("tcpecho", env)) expect(ending).toEqual(expected);
  });

  it("a client without a server says so in one line, and ends with 1", async () => {
    const server = await startSample("tcpecho", env);
    await server.stop();
    const client = await runSample("tcpecho", [String(server.port), "hello"], env);
    expect(client.code).toBe(1);
    expect(client.stderr).toMatch(/^.*ECONNREFUSED.*\n$/);
  });
});
