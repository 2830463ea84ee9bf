import type { PathArgs, PathParams } from "@tw/routing";
import { urlFor } from "@tw/routing";
import { expectTypeOf, test } from "vitest";

test("PathParams reads names, wildcards, constraints and optional parameters out of a pattern", () => {
  expectTypeOf<PathParams<"/">>().toEqualTypeOf<Record<never, never>>();
  expectTypeOf<PathParams<"/story/:id">>().toEqualTypeOf<{ readonly id: string }>();
  expectTypeOf<PathParams<"/a/:b/c/:d/*rest">>().toEqualTypeOf<{
    readonly b: string;
    readonly d: string;
    readonly rest: string;
  }>();
  expectTypeOf<PathParams<"/:a{[0-9]{2}}/:b{x|y}?">>().toEqualTypeOf<{
    readonly a: string;
    readonly b?: string;
  }>();
  expectTypeOf<PathParams<"/:a/:b?">>().toEqualTypeOf<{ readonly a: string; readonly b?: string }>();
  expectTypeOf<PathParams<string>>().toEqualTypeOf<Record<string, string>>();
});

test("PathArgs is the tuple of positional arguments", () => {
  expectTypeOf<PathArgs<"/">>().toEqualTypeOf<[]>();
  expectTypeOf<PathArgs<"/:a/x/*rest">>().toEqualTypeOf<[string, string]>();
  expectTypeOf<PathArgs<"/:a{[0-9]+}/:b?/:c?">>().toEqualTypeOf<[string, string?, string?]>();
  expectTypeOf<PathArgs<string>>().toEqualTypeOf<string[]>();
});

test("urlFor asks for what the pattern needs", () => {
  const check = (): void => {
    urlFor("/");
    urlFor("/:a", { a: 1 });
    urlFor("/:a?");
    // @ts-expect-error the parameter is missing
    urlFor("/:a");
    // @ts-expect-error there is no such parameter
    urlFor("/:a", { a: "1", b: "2" });
    // @ts-expect-error a value is text or a number
    urlFor("/:a", { a: true });
    // @ts-expect-error the pattern has no parameters
    urlFor("/", {});
  };
  expectTypeOf(check).returns.toBeVoid();
});
