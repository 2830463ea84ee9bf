// Limits of sockets, with small numbers, in this process.

import { onEveryEngine } from "@tw/tooling-testing";
import type { Application } from "@tw/tornado";
import { afterEach, expect, it } from "vitest";
import { chatApplication } from "../src/application.js";
import type { ChatSettings } from "../src/chat-socket.js";
import { RawPage } from "./support/raw-page.js";

onEveryEngine((engine) => {
  const closers: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  async function serve(
    limits: Parameters<typeof chatApplication>[0],
  ): Promise<{ app: Application<ChatSettings>; port: number }> {
    const app = chatApplication(limits);
    const server = await app.listen(0, "127.0.0.1", { engine });
    closers.push(() => server.close());
    return { app, port: server.port };
  }

  it("closes a socket with 1008 that does not say its name in time", async () => {
    const { port } = await serve({ sockets: { joinWithinMs: 20 } });
    expect(await new RawPage(port).whenClosed).toEqual({ code: 1008, reason: "No name within 0.02 s." });
  });

  it("answers one socket more than allowed with 503, and serves again when one has gone", async () => {
    const { port } = await serve({ sockets: { sockets: 2 } });
    const first = await RawPage.enter(port, "A");
    const second = await RawPage.enter(port, "B");
    await Promise.all([first.take(1), second.take(1)]);
    expect((await new RawPage(port).whenOpen).split("\r\n")[0]).toBe("HTTP/1.1 503 Service Unavailable");
    second.close();
    await second.whenClosed;
    const third = await RawPage.enter(port, "C");
    expect((await third.next()).type).toBe("welcome");
    for (const page of [first, third]) page.close();
  });

  it("gives the place to a page that comes again with its key, while its old connection still lingers", async () => {
    const { app, port } = await serve({});
    const before = await RawPage.enter(port, "A");
    const other = await RawPage.enter(port, "B");
    await other.take(1);
    const welcome = await before.next();
    if (welcome.type !== "welcome") throw new Error("no welcome");
    const after = new RawPage(port);
    await after.whenOpen;
    after.tell({ type: "join", name: "A", key: welcome.you.key });
    expect(await after.next()).toMatchObject({ type: "welcome", you: welcome.you });
    expect((await before.whenClosed).code).toBe(4001);
    after.tell({ type: "say", text: "I am back" });
    expect(await other.next()).toMatchObject({
      type: "message",
      text: "I am back",
      from: { id: welcome.you.id },
    });
    expect(app.settings.room.size).toBe(2);
    for (const page of [after, other]) page.close();
  });

  it("pings, and keeps a page that answers", async () => {
    const { port } = await serve({ sockets: { pingEveryMs: 200 } });
    const page = await RawPage.enter(port, "A");
    await page.take(1);
    await page.pings(2);
    page.tell({ type: "say", text: "still here" });
    expect(await page.next()).toMatchObject({ type: "message" });
    page.close();
  });

  it("lets a page go that no longer answers pings", async () => {
    const { port } = await serve({ sockets: { pingEveryMs: 20 } });
    const page = await RawPage.enter(port, "Mute", { pongs: false });
    await page.take(1);
    expect(await page.whenClosed).toEqual({ code: 1001, reason: "No answer." });
  });

  it("closes a page with 1013 that does not read, and goes on with the others", async () => {
    const { app, port } = await serve({ room: { burst: 1e6, bufferedBytes: 100_000 } });
    const slow = await RawPage.enter(port, "Slow");
    await slow.take(1);
    slow.stopReading();
    const busy = await RawPage.enter(port, "Busy");
    await busy.take(1);
    const text = "x".repeat(2000);
    const letGo = () => [...app.settings.sockets].some(({ state }) => state !== "open");
    // More than any kernel keeps for a socket, said as fast as it is heard.
    let said = 0;
    while (said < 40_000 && !letGo()) {
      for (let i = 0; i < 100; i++) busy.tell({ type: "say", text });
      await busy.take(100);
      said += 100;
    }
    slow.readAgain();
    expect(await slow.whenClosed).toEqual({ code: 1013, reason: "You were reading too slowly." });
    expect(await busy.next()).toMatchObject({ type: "left", person: { name: "Slow" } });
    expect(slow.unasked).toBeLessThan(said);
    busy.close();
  });
});
