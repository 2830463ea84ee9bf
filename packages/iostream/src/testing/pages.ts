// Contract 6, of the page, for transports that have `writePage`: what leaves from memory that many of them share.

import type { Transport, TransportPage } from "../transport.js";
import { check, same } from "./examiner.js";
import type { Side } from "./side.js";
import type { Define } from "./suite.js";

export const pages: Define = (test) => {
  test("6: writePage() takes the first bytes of the page, in order with what is written around it", async (x) => {
    x.startBoth();
    const page = pageOf(x.a);
    same(page, pageOf(x.b), "the page of the other");
    same(page.putText("\u00ff and more", page.put(Uint8Array.of(104, 105), 0)), 12, "where the text ends");
    same(x.a.write("before "), 7, "written before");
    same(x.a.writePage(3), 3, "taken");
    page.putText("###", 0);
    same(x.a.write(" behind"), 7, "written behind");
    await x.until("all bytes", () => x.b.receivedBytes === 17);
    same(x.b.text, "before hi\u00ff behind", "bytes received");
  });

  test("6: writePage() takes what there is room for, then 0, and onDrain tells when to go on", async (x) => {
    x.b.pause();
    x.startBoth();
    const page = pageOf(x.a);
    const { size } = page;
    page.put(new Uint8Array(size).fill(97), 0);
    let sent = 0;
    const pump = (): number => {
      const taken = x.a.writePage(size);
      sent += taken;
      return taken;
    };
    for (let before = -1; before !== sent; await x.quiet()) {
      before = sent;
      while (pump() === size);
    }
    same(x.a.writePage(1), 0, "taken while it is stopped");
    same(x.a.write("x"), 0, "written while it is stopped");
    const { drains } = x.a;
    x.b.resume();
    await x.until("onDrain and all bytes", () => x.a.drains > drains && x.b.receivedBytes === sent);
    check(pump() > 0, "it goes on");
    await x.until("the rest", () => x.b.receivedBytes === sent);
  });

  test("6: writePage() takes nothing after end() and after abort()", async (x) => {
    x.startBoth();
    pageOf(x.a).putText("text", 0);
    x.a.end();
    same(x.a.writePage(4), 0, "taken after end");
    x.b.abort();
    same(x.b.writePage(4), 0, "taken after abort");
    await x.until("the close", () => x.b.closed);
    same(x.b.writePage(4), 0, "taken after close");
  });

  test("6: writePage() to a peer that is gone ends in onClose(error) with a code", async (x) => {
    x.startBoth();
    x.a.abort();
    await x.until("the close of a", () => x.a.closed);
    for (let i = 0; i < 100 && !x.b.closed; i++) {
      x.b.writePage(4);
      await x.quiet();
    }
    check(["ECONNRESET", "EPIPE"].includes((x.b.error as { code: string }).code), "ECONNRESET or EPIPE");
  });
};

function pageOf({ transport }: Side): TransportPage {
  return (transport as Required<Transport>).page;
}
