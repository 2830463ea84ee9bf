import { describe, expect, it } from "vitest";
import { decodeExtendedValue, formatHeaderParameters, parseHeaderParameters } from "../src/index.js";
import { expectLinear, garbage } from "./support.js";

/** The value and its parameters in one list. */
function read(text: string): string[] | undefined {
  const parsed = parseHeaderParameters(text);
  return parsed && [parsed.value, ...[...parsed.parameters].map(([name, value]) => `${name}=${value}`)];
}

describe("parseHeaderParameters", () => {
  it("takes a value and its parameters apart, names in lower case, blanks taken off", () => {
    expect(read("form-data")).toEqual(["form-data"]);
    expect(read(' Form-Data ; NAME="a b" ;\tfilename = x')).toBeUndefined();
    expect(read(' Form-Data ; NAME="a b" ;\tfilename=x ')).toEqual(["Form-Data", "name=a b", "filename=x"]);
    expect(read("a; b=; c=x y")).toEqual(["a", "b=", "c=x y"]);
    expect(read("a; b=c=d")).toEqual(["a", "b=c=d"]);
    expect(read("")).toEqual([""]);
  });

  it("skips empty parameters, RFC 9110 §5.6.6", () => {
    expect(read("a;; ;b=c;")).toEqual(["a", "b=c"]);
  });

  it("lets semicolons, blanks and equals signs stand in quotes", () => {
    expect(read('a; b="c;d=e"; f="  "')).toEqual(["a", "b=c;d=e", "f=  "]);
    expect(read('a; b=""')).toEqual(["a", "b="]);
  });

  // RFC 9110 §5.6.4 (1)
  it("undoes the backslash before a quote and a backslash, and no other", () => {
    expect(read('a; b="\\"\\\\\\x\\"')).toBeUndefined();
    expect(read('a; b="\\"\\\\\\x"')).toEqual(["a", 'b="\\\\x']);
    expect(read('a; b="C:\\new\\"')).toBeUndefined();
  });

  it("gives undefined for what two readers could read differently", () => {
    for (const text of [
      "a; b=c; b=d",
      "a; b=c; B=d",
      'a; b="c',
      'a; b="c"d',
      'a; b=c"d"',
      "a; b",
      "a; =c",
      "a; b c=d",
      "a; b =d",
      'a; "b"=c',
    ]) {
      expect(read(text), text).toBeUndefined();
    }
  });

  it("never throws", () => {
    const pieces = ["a", ";", "=", '"', "\\", " ", "b=c", '; d="e"', "\t", "*", "'"];
    for (const text of garbage(pieces, 5000)) expect(() => parseHeaderParameters(text)).not.toThrow();
  });

  it("S-11: takes time linear in semicolons, quotes, backslashes, equals signs and parameters", () => {
    for (const piece of [";", '"', "\\", "=", "; ", '\\"', ';"', ";a", "a="]) {
      expectLinear((size) => parseHeaderParameters(`form-data${piece.repeat(size)}`));
      expectLinear((size) => parseHeaderParameters(`form-data; name="${piece.repeat(size)}`));
      expectLinear((size) => parseHeaderParameters(`form-data; name="${piece.repeat(size)}"`));
    }
    expectLinear((size) => {
      parseHeaderParameters(`a${Array.from({ length: size / 8 }, (_, i) => `;b${i}=c`).join("")}`);
    });
  });
});

describe("decodeExtendedValue", () => {
  it("reads UTF-8 and ISO-8859-1, RFC 8187 §3.2", () => {
    expect(decodeExtendedValue("UTF-8''%e2%82%ac%20rates")).toBe("€ rates");
    expect(decodeExtendedValue("utf-8'en-GB'%c2%a3")).toBe("£");
    expect(decodeExtendedValue("iso-8859-1'en'%A3%20rates")).toBe("£ rates");
    expect(decodeExtendedValue("UTF-8''")).toBe("");
    expect(decodeExtendedValue("UTF-8''a+b!#$&-.^_`|~9Z")).toBe("a+b!#$&-.^_`|~9Z");
  });

  it("gives undefined, and never a URIError, for what is none", () => {
    for (const text of [
      "",
      "a",
      "UTF-8'a",
      "''a",
      "UTF-7''a",
      "UTF-8''%",
      "UTF-8''%4",
      "UTF-8''%zz",
      "UTF-8''%-1",
      "UTF-8''a b",
      "UTF-8''a'b",
      "UTF-8''a\"",
      "UTF-8''é",
      "UTF-8''%ff",
      "UTF-8''%c3",
      "UTF-8''%ed%a0%80",
      "UTF-8''%c0%af",
    ]) {
      expect(decodeExtendedValue(text), text).toBeUndefined();
    }
  });

  it("takes linear time", () => {
    for (const piece of ["%", "'", "%41", "a"]) {
      expectLinear((size) => decodeExtendedValue(`UTF-8''${piece.repeat(size)}`));
      expectLinear((size) => decodeExtendedValue(piece.repeat(size)));
    }
  });
});

describe("formatHeaderParameters", () => {
  it("writes tokens bare, other text quoted, and text beyond ASCII as RFC 8187 has it", () => {
    expect(formatHeaderParameters("attachment", {})).toBe("attachment");
    expect(formatHeaderParameters("attachment", { filename: "a.txt", x: "a b", y: "" })).toBe(
      'attachment; filename=a.txt; x="a b"; y=""',
    );
    expect(formatHeaderParameters("attachment", { filename: 'a"b\\c/d' })).toBe(
      'attachment; filename="a\\"b\\\\c/d"',
    );
    expect(formatHeaderParameters("attachment", { filename: "€ rates/é.txt" })).toBe(
      "attachment; filename*=UTF-8''%E2%82%AC%20rates%2F%C3%A9.txt",
    );
  });

  it("is read back as it was meant", () => {
    for (const text of garbage(['"', "\\", ";", "=", " ", "a", "%", "€", "'", "*", "\t", ","], 2000)) {
      let written: string;
      try {
        written = formatHeaderParameters("a", { b: text });
      } catch (error) {
        expect(error).toMatchObject({ code: "ERR_TW_FIELD_VALUE" });
        continue;
      }
      const { parameters } = parseHeaderParameters(written) ?? { parameters: new Map() };
      expect(parameters.get("b") ?? decodeExtendedValue(parameters.get("b*") ?? "")).toBe(text);
    }
  });

  it("refuses what could end the line, or the parameter", () => {
    for (const text of ["a\r\nb", "a\nb", "a\0b", "€\r\n", "\x7f"]) {
      const unsafe = expect.objectContaining({ code: "ERR_TW_FIELD_VALUE" });
      expect(() => formatHeaderParameters("a", { b: text })).toThrow(unsafe);
      expect(() => formatHeaderParameters(text, {})).toThrow(unsafe);
    }
    for (const name of ["", "a b", "a=", "é"]) {
      const unsafe = expect.objectContaining({ code: "ERR_TW_FIELD_NAME" });
      expect(() => formatHeaderParameters("a", { [name]: "b" })).toThrow(unsafe);
    }
  });
});
