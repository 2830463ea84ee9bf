import { expect, it } from "vitest";
import * as http1 from "../src/index.js";

it("exports these values and no others", () => {
  expect(Object.keys(http1).sort()).toEqual(["HTTP1Machine", "resolveHTTP1Options"]);
});
