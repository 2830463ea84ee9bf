import * as routing from "@tw/routing";
import { expect, test } from "vitest";

test("the package exports these names", () => {
  expect(Object.keys(routing).sort()).toEqual(["RouteTable", "paramsOf", "reversePath", "urlFor"]);
});
