import { paramsOf, RouteTable } from "@tw/routing";
import { describe, expect, test } from "vitest";

/** Matches one pattern; gives its parameters, or undefined. */
function match(pattern: string | RegExp, path: string): readonly (string | undefined)[] | undefined {
  return new RouteTable([{ pattern, target: "it" }]).match(path)?.args;
}

/** The number of the row that wins. */
function winner(patterns: readonly (string | RegExp)[], path: string): number | undefined {
  return new RouteTable(patterns.map((pattern, target) => ({ pattern, target }))).match(path)?.target;
}

describe("RouteTable", () => {
  test.each([
    ["/", "/", []],
    ["/", "", undefined],
    ["/a", "/a", []],
    ["/a", "/a/", undefined],
    ["/a/", "/a/", []],
    ["/a/", "/a", undefined],
    ["/a", "/A", undefined],
    ["/story/:id", "/story/7", ["7"]],
    ["/story/:id", "/story/", undefined],
    ["/story/:id", "/story", undefined],
    ["/story/:id", "/story/7/8", undefined],
    ["/story/:id/", "/story/7/", ["7"]],
    ["/:a/:b", "/x/y", ["x", "y"]],
    ["/:a/x/:b", "/1/x/2", ["1", "2"]],
    ["/:a/x/:b", "/1/y/2", undefined],
    ["/a/:id?", "/a", [undefined]],
    ["/a/:id?", "/a/1", ["1"]],
    ["/a/:id?", "/a/", undefined],
    ["/a/:id?", "/ab", undefined],
    ["/:id?", "/", [undefined]],
    ["/:id?", "/x", ["x"]],
    ["/:id?", "", undefined],
    ["/:a?/:b?", "/", [undefined, undefined]],
    ["/:a?/:b?", "/1", ["1", undefined]],
    ["/:a?/:b?", "/1/2", ["1", "2"]],
    ["/:a?/:b?", "//2", undefined],
    ["/y/:n{[0-9]+}", "/y/12", ["12"]],
    ["/y/:n{[0-9]+}", "/y/1x", undefined],
    ["/d/:day{\\d{4}-\\d{2}-\\d{2}}", "/d/2024-02-29", ["2024-02-29"]],
    ["/d/:day{\\d{4}-\\d{2}-\\d{2}}", "/d/2024-2-29", undefined],
    ["/:lang{en|de|fr}?", "/de", ["de"]],
    ["/:lang{en|de|fr}?", "/ende", undefined],
    ["/static/*path", "/static/a/b.css", ["a/b.css"]],
    ["/static/*path", "/static/", [""]],
    ["/static/*path", "/static", undefined],
    ["/static/*", "/static/a/b", []],
    ["/*all", "/", [""]],
    ["/a:b", "/a:b", []],
    ["/.well-known/x.json", "/.well-known/xyjson", undefined],
    ["/über uns", "/%C3%BCber%20uns", []],
    ["/%C3%BCber", "/%C3%BCber", []],
  ])("%s against %s", (pattern, path, args) => {
    expect(match(pattern, path)).toEqual(args);
  });

  test("matches the encoded path and decodes afterwards, so that %2F is never a slash", () => {
    expect(match("/p/:x/:y", "/p/x%2Fy/z")).toEqual(["x/y", "z"]);
    expect(match(/\/p\/(\w+)\/(.*)/, "/p/x%2Fy/z")).toBeUndefined();
    expect(match(/\/p\/(\w+)\/(.*)/, "/p/x/a%2Fb+c")).toEqual(["x", "a/b+c"]);
  });

  test("takes raw bytes of a target as UTF-8", () => {
    expect(match("/p/:x", "/p/\u00c3\u00a9")).toEqual(["é"]);
  });

  test.each(["/p/%ff", "/p/\u00ff", "/p/%c3"])("marks %j as malformed, because it is not UTF-8", (path) => {
    const found = new RouteTable([{ pattern: "/p/:x", target: 1 }]).match(path);
    expect(found).toMatchObject({ target: 1, malformed: true, args: [] });
  });

  test("the first row that matches wins, whatever its kind", () => {
    expect(winner(["/a", "/:x"], "/a")).toBe(0);
    expect(winner(["/:x", "/a"], "/a")).toBe(0);
    expect(winner([/\/a/, "/a"], "/a")).toBe(0);
    expect(winner(["/a", "/a"], "/a")).toBe(0);
    expect(winner(["/:x{[0-9]+}", "/a"], "/a")).toBe(1);
    expect(winner(["/a/:x", "/:y/b", "/a/b"], "/a/b")).toBe(0);
    expect(winner(["/:y/b", "/a/:x", "/a/b"], "/a/b")).toBe(0);
    expect(winner(["/b/:x", "/:y/c", "/a/:x"], "/a/c")).toBe(1);
    expect(winner(["/b/:x", "/a/:x", "/:y/c"], "/a/c")).toBe(1);
    expect(winner(["/a/:x", /\/.*/], "/z")).toBe(1);
  });

  test("a large table gives what a walk from its top would give", () => {
    const segments = ["a", "b", ":x", ":n{[0-9]+}", "*rest"];
    const patterns = segments.flatMap((one) =>
      one.startsWith("*")
        ? [`/${one}`]
        : [`/${one}`, ...segments.map((two) => `/${one}/${two.replace(":x", ":y").replace(":n", ":m")}`)],
    );
    for (let turn = 0; turn < patterns.length; turn++) {
      const table = [...patterns.slice(turn), ...patterns.slice(0, turn)];
      for (const path of [
        "/",
        "/a",
        "/b",
        "/c",
        "/1",
        "/a/b",
        "/1/a",
        "/c/1",
        "/b/1",
        "/c/d/e",
        "/a/",
        "//",
      ]) {
        const first = table.findIndex((pattern) => match(pattern, path) !== undefined);
        expect([turn, path, winner(table, path)]).toEqual([turn, path, first === -1 ? undefined : first]);
      }
    }
  });

  test.each(["*", "example.org:443", "http:/x"])("a string never matches %s, which is no path", (path) => {
    expect(match("/*all", path)).toBeUndefined();
  });

  test("anchors a RegExp at both ends, also one with alternatives or flags", () => {
    expect(match(/\/a|\/b/, "/ax")).toBeUndefined();
    expect(match(/a/, "/a")).toBeUndefined();
    expect(match(/^\/a$/, "/a")).toEqual([]);
    expect(match(/\/A/i, "/a")).toEqual([]);
    const table = new RouteTable([{ pattern: /\/x/gy, target: 1 }]);
    expect([table.match("/x")?.target, table.match("/x")?.target]).toEqual([1, 1]);
  });

  test("names the groups of a RegExp, all or none", () => {
    const found = new RouteTable([{ pattern: /\/(?<a>\w+)(?:\/(?<b>\w+))?/, target: 1 }]).match("/x");
    expect(found).toMatchObject({ names: ["a", "b"], args: ["x", undefined] });
    expect(paramsOf(found as NonNullable<typeof found>)).toEqual({ a: "x" });
    expect(paramsOf({ names: undefined, args: ["x"] })).toEqual({});
    expect(() => match(/(?<a>x)(y)/, "/")).toThrow(TypeError);
  });

  test("takes time linear in a hostile path", () => {
    const table = new RouteTable([{ pattern: "/:a{[a-z]*\\.x}", target: 1 }]);
    const before = process.cpuUsage();
    expect(table.match(`/${"a".repeat(60_000)}`)).toBeUndefined();
    expect(table.match(`/${"a/".repeat(30_000)}`)).toBeUndefined();
    // Microseconds of the processor; what is quadratic takes seconds.
    expect(process.cpuUsage(before).user).toBeLessThan(500_000);
  });
});

describe("a pattern that cannot be one throws TypeError", () => {
  test.each([
    ["/p/(\\d+)", /RegExp/],
    ["/p/[0-9]+", /RegExp/],
    ["/p/\\d", /RegExp/],
    ["/x/.*", /RegExp/],
    ["p", /start with/],
    ["", /start with/],
    ["*", /start with/],
    ["/a?b=c", /no part of a path/],
    ["/a#b", /no part of a path/],
    ["/:", /bad parameter/],
    ["/:a-b", /bad parameter/],
    ["/:__proto__", /bad parameter/],
    ["/*a/b", /something after/],
    ["/*a b", /bad wildcard/],
    ["/:a/:a", /twice/],
    ["/:a?/b", /something after/],
    ["/:a?/:b", /something after/],
    ["/:a{}", /bad parameter/],
    ["/:a{[a-z]+[a-z]+}", /more than one/],
    ["/:a{a*b{1,2}}", /more than one/],
    ["/:a{|x}", /not understood/],
    ["/:a{x|}", /nothing/],
    ["/:a{a b}", /not understood/],
    ["/:a{[z-a]}", /bad constraint/],
    ["/:a{x/y}", /bad parameter/],
  ])("%s", (pattern, message) => {
    expect(() => match(pattern, "/")).toThrow(TypeError);
    expect(() => match(pattern, "/")).toThrow(message);
  });

  test("the advice comes for what is neither string nor RegExp too", () => {
    expect(() => match(7 as unknown as string, "/")).toThrow("a string or a RegExp");
  });
});
