import { createConnection } from "node:net";
import { MACHINES, startSample, withoutPort } from "@tw/tooling-samples";
import { describe, expect, it } from "vitest";

/** Everything that the server answers to these bytes, until it closes, with the date blotted out. */
function ask(port: number, wire: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, "127.0.0.1", () => socket.write(wire, "latin1"));
    let heard = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      heard += text;
    });
    socket.on("error", reject);
    socket.on("end", () => resolve(heard.replace(/^Date: .*GMT\r$/gm, "Date: (now)\r")));
  });
}

const CONVERSATIONS: Readonly<Record<string, string>> = {
  "one request": "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  "pipelined requests":
    "GET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  "a method it has not": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
  "an old client": "GET / HTTP/1.0\r\n\r\n",
  "malformed input": "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nhello",
};

const transcripts = new Map<string, Record<string, string>>();

describe.each(MACHINES)("hello world on $name", ({ name, env }) => {
  it("greets, and ends with 0 on SIGTERM", async () => {
    const sample = await startSample("helloworld", env);
    const transcript: Record<string, string> = {};
    for (const [what, wire] of Object.entries(CONVERSATIONS)) transcript[what] = await ask(sample.port, wire);
    transcripts.set(name, transcript);
    expect(transcript["one request"]).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nHello, world$/);
    expect(transcript["pipelined requests"]?.match(/HTTP\/1\.1 \d+/g)).toEqual([
      "HTTP/1.1 200",
      "HTTP/1.1 405", // as in Tornado: a handler that wants HEAD defines head()
      "HTTP/1.1 404",
    ]);
    expect(transcript["a method it has not"]).toMatch(/^HTTP\/1\.1 405 /);
    expect(transcript["malformed input"]).toMatch(/^HTTP\/1\.1 400 /);
    expect(await sample.stop()).toMatchObject({ code: 0, stdout: `http://localhost:${sample.port}\n` });
  });

  it("says in one line what is wrong with its port, and ends with 1", async () => {
    for (const { ending, expected } of await withoutPort("helloworld", env)) expect(ending).toEqual(expected);
  });
});

describe("hello world", () => {
  it("says the same bytes on every machine", () => {
    const [first, ...others] = transcripts.values();
    expect(others).toHaveLength(MACHINES.length - 1);
    for (const other of others) expect(other).toEqual(first);
  });
});
