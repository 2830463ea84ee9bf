import { paramsOf, RouteTable, reversePath, urlFor } from "@tw/routing";
import { describe, expect, test } from "vitest";

describe("urlFor()", () => {
  test("escapes each parameter so that the pattern gives it back", () => {
    const params = { id: "a b/c?#%é+;&=", rest: "x y/zé?" };
    const pattern = "/s/:id/*rest";
    const path = urlFor(pattern, params);
    expect(path).toBe("/s/a%20b%2Fc%3F%23%25%C3%A9%2B%3B%26%3D/x%20y/z%C3%A9%3F");
    const found = new RouteTable([{ pattern, target: 0 }]).match(path);
    expect(paramsOf(found as NonNullable<typeof found>)).toEqual(params);
  });

  test("leaves out optional parameters, from the right", () => {
    expect(urlFor("/:a?/:b?")).toBe("/");
    expect(urlFor("/:a?/:b?", { a: 1 })).toBe("/1");
    expect(urlFor("/x/:a?/:b?", { a: 1, b: 2 })).toBe("/x/1/2");
    expect(() => urlFor("/:a?/:b?", { b: 2 })).toThrow(TypeError);
  });

  test("takes a pattern without parameters, and encodes what its author did not", () => {
    expect(urlFor("/")).toBe("/");
    expect(urlFor("/über/")).toBe("/%C3%BCber/");
    expect(urlFor("/static/*")).toBe("/static/");
  });

  test("throws TypeError for a missing, an unknown and an inherited parameter", () => {
    expect(() => urlFor("/:id", {} as never)).toThrow("needs a value for id");
    expect(() => urlFor("/:id", { id: 1, page: 2 } as never)).toThrow("no parameter page");
    expect(() => urlFor("/:toString", {} as never)).toThrow(TypeError);
  });

  test.each(["", ".", ".."])("throws RangeError for %j, which is no segment", (id) => {
    expect(() => urlFor("/s/:id", { id })).toThrow(RangeError);
  });

  test("throws RangeError for a wildcard that climbs or names another host", () => {
    expect(() => urlFor("/s/*path", { path: "a/../b" })).toThrow(RangeError);
    expect(() => urlFor("/*path", { path: "/evil.example" })).toThrow(RangeError);
    expect(urlFor("/s/*path", { path: "" })).toBe("/s/");
  });

  test("throws RangeError for a value outside its constraint", () => {
    expect(urlFor("/s/:id{[0-9]+}", { id: 7 })).toBe("/s/7");
    expect(() => urlFor("/s/:id{[0-9]+}", { id: "x" })).toThrow(RangeError);
  });
});

describe("reversePath()", () => {
  test("puts arguments where the groups of a RegExp are", () => {
    expect(reversePath(/\/a\/(\d+)\/b\/([^/]*)/, 1, "x y/z")).toBe("/a/1/b/x%20y/z");
    expect(reversePath(/^\/a\.b\/(?<id>[)(]+)$/, "7")).toBe("/a.b/7");
    expect(reversePath("/s/:id", "x/y")).toBe("/s/x%2Fy");
  });

  test("throws TypeError for a wrong number of arguments", () => {
    expect(() => reversePath(/\/(\d+)/)).toThrow("takes 1 arguments, got 0");
    expect(() => reversePath("/:a", 1, 2)).toThrow("takes 1 arguments, got 2");
    expect(() => reversePath("/:a")).toThrow("needs a value");
  });

  test.each([[/\/(?:b)/], [/\/((a)b)/], [/\/\d+/], [/\/a*/], [/\/[ab]/], [/\/(a)?/], [/\/a|\/b/]])(
    "throws TypeError for %s, which cannot be turned round",
    (pattern) => {
      expect(() => reversePath(pattern, 1)).toThrow(TypeError);
    },
  );
});
