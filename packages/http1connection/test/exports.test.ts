import { expect, it } from "vitest";
import * as main from "../src/index.js";

it("the entry exports what it promises, and nothing else", () => {
  expect(Object.keys(main).sort()).toEqual([
    "BodyCollector",
    "ContentDecoder",
    "HTTP1ClientConnection",
    "HTTP1ServerConnection",
    "ServerContext",
    "announcesBody",
    "contentCodings",
    "nodeLatin1",
    "parseContentCodings",
  ]);
});
