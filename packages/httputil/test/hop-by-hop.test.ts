import { expect, it } from "vitest";
import { hopByHopFields, isHopByHop } from "../src/index.js";

it("isHopByHop() knows the fields of RFC 9110 §7.6.1 in any case, and no others", () => {
  for (const name of hopByHopFields)
    expect([name, name.toLowerCase(), name.toUpperCase()].map(isHopByHop)).toEqual([true, true, true]);
  for (const name of ["", "Host", "Expect", "Connection-X", "T", "Content-Length"])
    expect([name, isHopByHop(name)]).toEqual([name, false]);
});
