import { BlockList, isIP } from "node:net";
import { describe, expect, it } from "vitest";
import { ipMatcher, isIp } from "../src/index.js";

/** The same numbers in every run. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % below;
  };
}

describe("isIp", () => {
  it.each([
    "0.0.0.0",
    "127.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "1::",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "2001:DB8::1",
    "::ffff:1.2.3.4",
    "1:2:3:4:5:6:1.2.3.4",
    "0000:0000:0000:0000:0000:ffff:255.255.255.255",
  ])("accepts %j", (ip) => expect(isIp(ip)).toBe(true));

  it.each([
    "",
    "1",
    "1.2",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.04",
    "0x7f.0.0.1",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.4\n",
    "1.2.3.4\0",
    "1.2.3.4:80",
    "\u0661.2.3.4",
    "localhost",
    "[::1]",
    "::1%lo",
    ":",
    ":::",
    "1:::2",
    "::1::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2:3:4:5:6:7:8",
    ":1:2:3:4:5:6:7",
    "12345::",
    "g::",
    "::1.2.3",
    "::1.2.3.4:5",
    "1.2.3.4::",
    "1:2:3:4:5:6:7:1.2.3.4",
    "0000:0000:0000:0000:0000:ffff:255.255.255.2550",
    "a".repeat(64),
    "1".repeat(1_000_000),
  ])("refuses %j (Q20)", (ip) => expect(isIp(ip)).toBe(false));

  it("agrees with node:net about anything without a zone", () => {
    const random = randomOf(1);
    const pieces = [":", "::", "1", "ff", "0", ".", "1.2.3.4", "255", "abcd", "1:2:3:4"];
    for (let i = 0; i < 20_000; i++) {
      let text = "";
      for (let n = random(12); n > 0; n--)
        text += random(20) === 0 ? String.fromCharCode(random(0x180)) : pieces[random(pieces.length)];
      if (!text.includes("%")) expect({ text, isIp: isIp(text) }).toEqual({ text, isIp: isIP(text) !== 0 });
    }
  });
});

describe("ipMatcher", () => {
  it.each([
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.0.0.0/8", "9.255.255.255", false],
    ["192.0.2.128/25", "192.0.2.127", false],
    ["192.0.2.128/25", "192.0.2.128", true],
    ["192.0.2.1/32", "192.0.2.1", true],
    ["192.0.2.1/32", "192.0.2.2", false],
    ["192.0.2.1", "192.0.2.1", true],
    ["192.0.2.1", "192.0.2.0", false],
    ["0.0.0.0/0", "255.1.2.3", true],
    ["0.0.0.0/0", "::1", false],
    ["::1", "::1", true],
    ["::1", "0:0:0:0:0:0:0:1", true],
    ["::1", "::2", false],
    ["fe80::/10", "febf::1", true],
    ["fe80::/10", "fec0::1", false],
    ["fe80::/10", "fe80::1%eth0", true],
    ["2001:db8::/33", "2001:db8:7fff::", true],
    ["2001:db8::/33", "2001:db8:8000::", false],
    ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["::ffff:10.0.0.0/104", "10.1.2.3", true],
    ["::ffff:10.0.0.0/104", "11.1.2.3", false],
    ["::/0", "2001:db8::1", true],
    ["::/0", "10.1.2.3", false],
    ["::/0", "::ffff:10.1.2.3", false],
    ["::/0", "::fffe:10.1.2.3", true],
    ["0.0.0.0/0", "", false],
    ["0.0.0.0/0", "unknown", false],
    ["0.0.0.0/0", "1.2", false],
  ])("%s holds %j: %s", (cidr, ip, expected) => expect(ipMatcher([cidr])(ip)).toBe(expected));

  it("of several networks takes any, of none nobody", () => {
    const matches = ipMatcher(["10.0.0.0/8", "::1"]);
    expect(["10.1.1.1", "::1", "1.1.1.1"].map(matches)).toEqual([true, true, false]);
    expect(ipMatcher([])("::1")).toBe(false);
  });

  it.each([
    "10.0.0.1/8",
    "10.0.0.0/33",
    "::/129",
    "2001:db8::1/32",
    "10.0.0.0/",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10/8",
    "/8",
    "",
    "localhost",
    "fe80::1%eth0",
  ])("refuses the network %j with a RangeError", (cidr) => {
    expect(() => ipMatcher(["::1", cidr])).toThrow(RangeError);
  });

  it("refuses what is no string with a TypeError", () => {
    expect(() => ipMatcher([8 as never])).toThrow(TypeError);
  });

  it("agrees with node's BlockList about random networks of both families", () => {
    const random = randomOf(7);
    for (let i = 0; i < 2000; i++) {
      const bits = random(33);
      const base = bits === 0 ? 0 : (((0xffffffff << (32 - bits)) >>> 0) & (random(2 ** 32) >>> 0)) >>> 0;
      const near = (base ^ (1 << random(32))) >>> 0;
      const list = new BlockList();
      list.addSubnet(v4(base), bits);
      expect(ipMatcher([`${v4(base)}/${bits}`])(v4(near))).toBe(list.check(v4(near)));
      const six = new BlockList();
      six.addSubnet(v6(base), bits, "ipv6");
      expect(ipMatcher([`${v6(base)}/${bits}`])(v6(near))).toBe(six.check(v6(near), "ipv6"));
    }
  });
});

function v4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}

function v6(address: number): string {
  return `${(address >>> 16).toString(16)}:${(address & 0xffff).toString(16)}::`;
}
