import { describe, expect, it } from "vitest";
import { readClientMessage } from "../src/protocol.js";

describe("readClientMessage()", () => {
  it.each([
    [{ type: "join", name: "Ada" }],
    [{ type: "join", name: "Ada", key: "k" }],
    [{ type: "say", text: "" }],
  ])("reads %j", (message) => {
    expect(readClientMessage(JSON.stringify(message))).toEqual(message);
  });

  it("leaves out what it does not know", () => {
    expect(readClientMessage('{"type":"say","text":"x","__proto__":{"y":1},"z":2}')).toEqual({
      type: "say",
      text: "x",
    });
  });

  it.each([
    "",
    "{",
    "null",
    "1",
    '"say"',
    "[]",
    '{"type":"say"}',
    '{"type":"say","text":1}',
    '{"type":"join"}',
    '{"type":"join","name":"A","key":1}',
    '{"type":"other","text":"x"}',
  ])("knows that no page of ours sends %j", (data) => {
    expect(readClientMessage(data)).toBeUndefined();
  });
});
