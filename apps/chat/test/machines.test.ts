// The chat as a process, on every kind of machine: the same bytes, the same messages.

import { connect } from "node:net";
import { MACHINES, startSample, withoutPort } from "@tw/tooling-samples";
import { describe, expect, it } from "vitest";
import type { ServerMessage } from "../src/protocol.js";
import { RawPage } from "./support/raw-page.js";

interface Transcript {
  readonly page: Record<string, string>;
  readonly handshake: string;
  readonly ada: ServerMessage[];
  readonly ben: ServerMessage[];
  readonly quick: ServerMessage[];
  readonly closes: Record<string, unknown>;
}

const transcripts: Transcript[] = [];

/** What differs from run to run, blotted out. */
function blot<T>(value: T): T {
  const text = JSON.stringify(value)
    .replace(/"(key|run)":"[\w-]+"/g, '"$1":"(secret)"')
    .replace(/"at":\d+/g, '"at":0')
    .replace(/"id":"[\w-]+\.(\d+)"/g, '"id":"(run).$1"')
    .replace(/Date: [^\\]*GMT/g, "Date: (now)")
    .replaceAll(/localhost:\d+/g, "localhost");
  return JSON.parse(text);
}

/** Everything that the server answers to a GET, until it closes. */
function get(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`);
    });
    let heard = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      heard += text;
    });
    socket.on("error", reject);
    socket.on("end", () => resolve(heard));
  });
}

async function talk(port: number): Promise<Transcript> {
  const page: Record<string, string> = {};
  for (const path of ["/", "/main.js", "/chat.css", "/icon.svg", "/nowhere", "/../package.json", "/socket"]) {
    page[path] = await get(port, path);
  }
  const closes: Record<string, unknown> = {};
  const stranger = new RawPage(port, { Origin: "http://elsewhere.example" });
  closes["a page of another origin"] = [
    (await stranger.whenOpen).split("\r\n")[0],
    await stranger.whenClosed,
  ];

  const adaPage = new RawPage(port);
  const handshake = await adaPage.whenOpen;
  adaPage.tell({ type: "join", name: "Ada" });
  const ada = await adaPage.take(1);
  adaPage.tell({ type: "say", text: "Is anybody here?" });
  ada.push(...(await adaPage.take(1)));

  const benPage = await RawPage.enter(port, "Ben");
  const ben = await benPage.take(1);
  ada.push(...(await adaPage.take(1)));
  benPage.tell({ type: "say", text: "<b>Grüße</b> 👋\n\u2028" });
  ada.push(...(await adaPage.take(1)));
  ben.push(...(await benPage.take(1)));
  benPage.tell({ type: "say", text: "x".repeat(2001) });
  ben.push(...(await benPage.take(1)));

  // In one turn, so that no time passes between them: a fresh bucket, and one more than it holds.
  const quickPage = await RawPage.enter(port, "Quick");
  await quickPage.take(1);
  for (let i = 0; i < 9; i++) quickPage.tell({ type: "say", text: `quick ${i}` });
  const quick = await quickPage.take(9);
  ada.push(...(await adaPage.take(9)));
  ben.push(...(await benPage.take(9)));

  const twin = await RawPage.enter(port, "ada");
  closes["a name that is taken"] = [await twin.next(), await twin.whenClosed];
  const babbler = new RawPage(port);
  await babbler.whenOpen;
  babbler.sendText("no JSON");
  closes["a socket that speaks otherwise"] = await babbler.whenClosed;
  const giant = await RawPage.enter(port, "Giant");
  await giant.take(1);
  giant.sendText("x".repeat(16 * 1024 + 1));
  closes["a message beyond 16 KiB"] = await giant.whenClosed;
  ada.push(...(await adaPage.take(2)));

  benPage.vanish();
  ada.push(...(await adaPage.take(1)));
  quickPage.close();
  ada.push(...(await adaPage.take(1)));
  adaPage.close();
  closes["a page that leaves"] = await adaPage.whenClosed;
  return { page, handshake, ada, ben, quick, closes };
}

describe.each(MACHINES)("chat on $name", ({ env }) => {
  it("serves page and room, and ends with 0 on SIGTERM after closing with 1001", async () => {
    const sample = await startSample("chat", env);
    const transcript = blot(await talk(sample.port));
    transcripts.push(transcript);
    const last = await RawPage.enter(sample.port, "Last");
    await last.take(1);
    const ending = await sample.stop("SIGTERM");
    expect((await last.whenClosed).code).toBe(1001);
    expect(ending).toMatchObject({ code: 0, signal: null, stdout: `http://localhost:${sample.port}\n` });
  });

  it("ends with 0 on SIGINT", async () => {
    const sample = await startSample("chat", env);
    expect(await sample.stop("SIGINT")).toMatchObject({ code: 0, signal: null, stderr: "" });
  });

  it("says in one line what is wrong with its port, and ends with 1", async () => {
    for (const { ending, expected } of await withoutPort("chat", env)) expect(ending).toEqual(expected);
  });
});

describe("chat", () => {
  it("says the same on every machine", () => {
    const [first, ...others] = transcripts;
    expect(others).toHaveLength(MACHINES.length - 1);
    for (const other of others) expect(other).toEqual(first);
  });

  it("lets nothing run on the page but its own scripts", () => {
    for (const path of ["/", "/main.js", "/chat.css", "/icon.svg"]) {
      const answer = transcripts[0]?.page[path];
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      expect(answer).toMatch(/\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; /);
      expect(answer).toMatch(/\r\nX-Content-Type-Options: nosniff\r\n/);
    }
  });

  it("serves nothing but its page, and a socket to sockets only", () => {
    const status = (path: string) => transcripts[0]?.page[path]?.slice(9, 12);
    expect([status("/nowhere"), status("/../package.json"), status("/socket")]).toEqual([
      "404",
      "404",
      "400",
    ]);
  });

  it("tells a page why it is let go", () => {
    expect(transcripts[0]?.closes).toMatchObject({
      "a page of another origin": ["HTTP/1.1 403 Forbidden", { code: 1006 }],
      "a name that is taken": [{ type: "refused", code: "name-taken" }, { code: 4000 }],
      "a socket that speaks otherwise": { code: 1008 },
      "a message beyond 16 KiB": { code: 1009 },
      "a page that leaves": { code: 1000 },
    });
  });

  it("tells what was said, and refuses what is too long or too fast", () => {
    const kinds = (messages?: ServerMessage[]) =>
      messages?.map((each) => ("code" in each ? each.code : each.type));
    const burst = Array.from({ length: 8 }, () => "message");
    expect(kinds(transcripts[0]?.quick)).toEqual([...burst, "too-fast"]);
    expect(kinds(transcripts[0]?.ben)).toEqual(["welcome", "message", "text-too-long", "joined", ...burst]);
    const comings = ["joined", "left", "left", "left"];
    expect(kinds(transcripts[0]?.ada)).toEqual([
      "welcome",
      "message",
      "joined",
      "message",
      "joined",
      ...burst,
      ...comings,
    ]);
    expect(transcripts[0]?.ben[1]).toMatchObject({ text: "<b>Grüße</b> 👋", from: { name: "Ben" } });
  });
});
