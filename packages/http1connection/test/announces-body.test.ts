// What the fields of a head say of a body, before it comes.
import { HTTPHeaders } from "@tw/httputil";
import { describe, expect, it } from "vitest";
import { announcesBody } from "../src/index.js";

describe("announcesBody()", () => {
  it.each(["0", "00", "0".repeat(40), "0, 0", "0,0", "00 ,\t00"])(
    "is false for Content-Length: %s",
    (length) => {
      expect(announcesBody(new HTTPHeaders({ "Content-Length": length }))).toBe(false);
    },
  );

  it.each(["1", "10", "01", "0, 1", "", "0,", "-0"])("is true for Content-Length: %s", (length) => {
    expect(announcesBody(new HTTPHeaders({ "Content-Length": length }))).toBe(true);
  });

  it("is false without a field, and true for Transfer-Encoding", () => {
    expect(announcesBody(new HTTPHeaders())).toBe(false);
    expect(announcesBody(new HTTPHeaders({ "Transfer-Encoding": "chunked" }))).toBe(true);
    expect(announcesBody(new HTTPHeaders({ "Transfer-Encoding": "chunked", "Content-Length": "0" }))).toBe(
      true,
    );
  });
});
