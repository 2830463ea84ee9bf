// Two tabs of a real browser talk to each other. Without a Chromium this is skipped, which counts as a failure in CI.

import { type Sample, startSample } from "@tw/tooling-samples";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findChromium } from "./support/chromium.js";

const executablePath = findChromium();
const title =
  executablePath === undefined ? "in Chromium (none found: set CHROMIUM to its path)" : "in Chromium";
/** What is waited for comes; how soon is the machine's affair. */
const SEEN_WITHIN_MS = 30_000;

describe.skipIf(executablePath === undefined)(title, { timeout: 60_000 }, () => {
  let browser: Browser;
  let sample: Sample;
  let context: BrowserContext;
  let complaints: string[];

  beforeAll(async () => {
    browser = await chromium.launch({
      ...(executablePath === undefined ? {} : { executablePath }),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
  }, 60_000);

  afterAll(() => browser?.close());

  beforeEach(async () => {
    sample = await startSample("chat");
    context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    context.setDefaultTimeout(SEEN_WITHIN_MS);
    complaints = [];
  });

  afterEach(async () => {
    await context.close();
    await sample.stop();
  });

  /** Opens a tab and goes in. */
  async function enter(name: string): Promise<Page> {
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    await page.goto(`http://localhost:${sample.port}/`);
    await page.getByLabel("Your name").fill(name);
    await page.getByRole("button", { name: "Enter the room" }).click();
    await page.getByRole("textbox", { name: "Message" }).waitFor();
    return page;
  }

  const say = async (page: Page, text: string) => {
    await page.getByRole("textbox", { name: "Message" }).fill(text);
    await page.getByRole("textbox", { name: "Message" }).press("Enter");
  };
  const bubbles = (page: Page) => page.locator(".bubble > span").allTextContents();
  const bubble = (page: Page, text: string) => page.locator(".bubble", { hasText: text }).first();

  it("two tabs talk to each other, see each other come and go, and tell whose words are whose", async () => {
    const ada = await enter("Ada");
    const ben = await enter("Ben");
    await ada.getByText("Ben came in").waitFor();
    expect(await ada.locator("#people-list li").allInnerTexts()).toEqual(["A\nAda\nyou", "B\nBen"]);

    await say(ada, "Hello, Ben");
    await bubble(ben, "Hello, Ben").waitFor();
    await say(ben, "Hello, Ada");
    await bubble(ada, "Hello, Ada").waitFor();
    expect(await bubbles(ada)).toEqual(["Hello, Ben", "Hello, Ada"]);
    expect(await bubbles(ben)).toEqual(["Hello, Ben", "Hello, Ada"]);
    expect(await ada.locator(".line.mine .bubble > span").allTextContents()).toEqual(["Hello, Ben"]);
    expect(await ben.locator(".line.mine .bubble > span").allTextContents()).toEqual(["Hello, Ada"]);
    expect(await ada.locator(".bubble time").first().getAttribute("datetime")).toMatch(/^\d{4}-.*Z$/);

    await ben.close();
    await ada.getByText("Ben left").waitFor();
    expect(await ada.locator("#people-list li").count()).toBe(1);
    expect(complaints).toEqual([]);
  });

  it("shows what others write as text, never as HTML", async () => {
    const ada = await enter("Ada");
    const mallory = await enter("<img src=x onerror=alert(1)>");
    const attack = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    await say(mallory, attack);
    await bubble(ada, attack).waitFor();
    expect(await bubbles(ada)).toEqual([attack]);
    expect(await ada.locator("#chat img:not(.mark), #chat script").count()).toBe(0);
    expect(await ada.title()).toBe("The Eye · chat");
    expect(complaints).toEqual([]);
  });

  it("turns a second Ada away at the door, with the reason", async () => {
    await enter("Ada");
    const second = await context.newPage();
    await second.goto(`http://localhost:${sample.port}/`);
    await second.getByLabel("Your name").fill("ada");
    await second.getByRole("button", { name: "Enter the room" }).click();
    await second.getByRole("alert").getByText("Somebody with this name is here already.").waitFor();
    expect(await second.locator("#name:focus").count()).toBe(1);
  });

  it("gives a refused message back, with the reason", async () => {
    const ada = await enter("Ada");
    // In one turn of the page: typed one by one, a slow machine would earn the ninth meanwhile.
    await ada.evaluate(`for (const text of ["1", "2", "3", "4", "5", "6", "7", "8", "one too many"]) {
      document.querySelector("#text").value = text;
      document.querySelector("#composer").requestSubmit();
    }`);
    await ada.getByRole("alert").getByText("That was fast.").waitFor();
    expect(await ada.getByRole("textbox", { name: "Message" }).inputValue()).toBe("one too many");
    expect(await bubbles(ada)).toHaveLength(8);
  });

  it("comes back by itself after the server was away, and keeps what was being written", async () => {
    const ada = await enter("Ada");
    await say(ada, "before");
    await bubble(ada, "before").waitFor();
    const { port } = sample;
    await sample.stop();
    await ada.getByText("The connection is lost.").waitFor();
    await ada.getByRole("textbox", { name: "Message" }).fill("written meanwhile");
    expect(await ada.getByRole("button", { name: "Send" }).isDisabled()).toBe(true);
    sample = await startSample("chat", { PORT: String(port) });
    // In one turn of the page: it may have tried by itself meanwhile, and the button is gone then.
    await ada.evaluate(`document.querySelector("#retry").click()`);
    await ada.getByText("You are back.").waitFor();
    await ada.getByRole("textbox", { name: "Message" }).press("Enter");
    await bubble(ada, "written meanwhile").waitFor();
  });

  it.each([
    { width: 1280, height: 800 },
    { width: 390, height: 844 },
    { width: 320, height: 568 },
  ])("fits a window of $width × $height, whatever is written", async (size) => {
    const ada = await enter("Wolfeschlegelsteinhausenbergerdo");
    await ada.setViewportSize(size);
    await say(ada, `https://example.org/${"long".repeat(200)}`);
    await bubble(ada, "example.org").waitFor();
    const widest = await ada.evaluate("document.documentElement.scrollWidth");
    expect(widest).toBe(size.width);
    const box = await ada.getByRole("button", { name: "Send" }).boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(size.width);
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(size.height);
  });
});
