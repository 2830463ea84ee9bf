// The PROXY protocol without sockets: what is a header, and that nothing else is.

import { dice } from "@tw/tooling-testing/dice";
import { latin1 } from "@tw/util";
import { describe, expect, it } from "vitest";
import { crc32c } from "../src/proxy/crc32c.js";
import { DEFAULT_MAX_HEADER_SIZE, ProxyProtocolError } from "../src/proxy/header.js";
import { proxyVersion, readProxyHeader } from "../src/proxy/read-header.js";
import { IPV4, ipv6, SIGNATURE, tlv, version2 } from "./proxy-support.js";

const text = (line: string) => readProxyHeader(latin1(line));
const source = (bytes: Uint8Array) => readProxyHeader(bytes)?.header.source;

/** Reads `bytes` whole, at every split, and with something behind: always the same. */
function threeWays(bytes: Uint8Array): ReturnType<typeof readProxyHeader> {
  const whole = readProxyHeader(bytes);
  for (let i = 0; i < bytes.length; i++) expect(readProxyHeader(bytes.subarray(0, i))).toBeUndefined();
  expect(readProxyHeader(Buffer.concat([bytes, Buffer.from("\r\nPROXY UNKNOWN\r\n")]))).toEqual(whole);
  expect(whole?.length).toBe(bytes.length);
  return whole;
}

describe("version 1", () => {
  it.each([
    ["PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n", "192.0.2.1", 56324, "198.51.100.7", 443, 4],
    [
      "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
      "255.255.255.255",
      65535,
      "255.255.255.255",
      65535,
      4,
    ],
    ["PROXY TCP6 2001:db8::1 ::1 0 1\r\n", "2001:db8::1", 0, "::1", 1, 6],
    ["PROXY TCP6 ::ffff:192.0.2.1 ::1 7 8\r\n", "::ffff:192.0.2.1", 7, "::1", 8, 6],
  ] as const)("reads %j", (line, from, fromPort, to, toPort, family) => {
    expect(threeWays(latin1(line))?.header).toEqual({
      version: 1,
      source: { address: from, port: fromPort, family },
      destination: { address: to, port: toPort, family },
      encrypted: false,
      tlvs: [],
    });
  });

  it.each([
    "PROXY UNKNOWN\r\n",
    "PROXY UNKNOWN ff:ff whatever 1 2\r\n",
    "PROXY UNKNOWN TCP4 1.2.3.4 1.2.3.4 5 6\r\n",
  ])("knows nobody by %j", (line) => {
    expect(threeWays(latin1(line))?.header).toMatchObject({ source: undefined, destination: undefined });
  });

  it.each([
    ["a bare LF", "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\n"],
    ["a CR in the line", "PROXY UNKNOWN \r \r\n"],
    ["two spaces", "PROXY TCP4  192.0.2.1 198.51.100.7 56324 443\r\n"],
    ["a space at the end", "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 \r\n"],
    ["a tab", "PROXY TCP4\t192.0.2.1 198.51.100.7 56324 443\r\n"],
    ["a missing port", "PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n"],
    ["a port too many", "PROXY TCP4 192.0.2.1 198.51.100.7 1 2 3\r\n"],
    ["a port of 65536", "PROXY TCP4 192.0.2.1 198.51.100.7 65536 443\r\n"],
    ["a port with a sign", "PROXY TCP4 192.0.2.1 198.51.100.7 +5 443\r\n"],
    ["a port with a leading zero", "PROXY TCP4 192.0.2.1 198.51.100.7 05 443\r\n"],
    ["an address of the other family", "PROXY TCP4 ::1 ::1 5 443\r\n"],
    ["an IPv4 address as TCP6", "PROXY TCP6 192.0.2.1 192.0.2.2 5 443\r\n"],
    ["mixed families", "PROXY TCP4 192.0.2.1 ::1 5 443\r\n"],
    ["a short address", "PROXY TCP4 127.1 127.0.0.1 5 443\r\n"],
    ["an octet of 256", "PROXY TCP4 192.0.2.256 127.0.0.1 5 443\r\n"],
    ["an octet in octal", "PROXY TCP4 192.0.2.010 127.0.0.1 5 443\r\n"],
    ["a name", "PROXY TCP4 localhost localhost 5 443\r\n"],
    ["a zone", "PROXY TCP6 fe80::1%eth0 ::1 5 443\r\n"],
    ["UDP", "PROXY UDP4 192.0.2.1 198.51.100.7 5 443\r\n"],
    ["small letters", "PROXY tcp4 192.0.2.1 198.51.100.7 5 443\r\n"],
    ["UNKNOWN with a tail of its own", "PROXY UNKNOWNX\r\n"],
    ["another word", "PROXX TCP4 192.0.2.1 198.51.100.7 5 443\r\n"],
    ["a request", "GET / HTTP/1.1\r\n\r\n"],
    ["a method that begins alike", "PROPFIND / HTTP/1.1\r\n\r\n"],
  ])("refuses %s", (_what, line) => {
    expect(() => text(line)).toThrow(ProxyProtocolError);
    expect(() => text(line)).toThrow(expect.objectContaining({ code: "ERR_TW_PROXY_PROTOCOL" }));
  });

  it("takes 107 bytes with the CRLF, and refuses the 108th before any end has come", () => {
    const line = (length: number) => `PROXY UNKNOWN ${"x".repeat(length - 16)}\r\n`;
    expect(threeWays(latin1(line(107)))?.length).toBe(107);
    expect(() => text(line(108))).toThrow(ProxyProtocolError);
    expect(readProxyHeader(latin1(line(108).slice(0, 106)))).toBeUndefined();
    expect(() => text(line(108).slice(0, 107))).toThrow(ProxyProtocolError);
  });
});

describe("version 2", () => {
  it("reads IPv4", () => {
    expect(threeWays(version2())?.header).toEqual({
      version: 2,
      source: { address: "192.0.2.1", port: 4711, family: 4 },
      destination: { address: "198.51.100.7", port: 443, family: 4 },
      encrypted: false,
      tlvs: [],
    });
  });

  it.each([
    ["20010db8000000000000000000000001", "2001:db8::1"],
    ["00000000000000000000000000000000", "::"],
    ["00000000000000000000000000000001", "::1"],
    ["00010000000000000000000000000000", "1::"],
    ["00010002000300040005000600070008", "1:2:3:4:5:6:7:8"],
    ["20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"],
    ["20010000000000010000000000000001", "2001:0:0:1::1"],
    ["00010000000000020003000000000004", "1::2:3:0:0:4"],
    ["00000000000000000000ffffc0000201", "::ffff:192.0.2.1"],
    ["00000000000000000000fffe00000001", "::fffe:0:1"],
  ])("writes the IPv6 address %s as RFC 5952 does: %s", (hex, address) => {
    const bytes = version2({ kind: 0x21, addresses: ipv6(hex, "0".repeat(31).concat("1"), 1, 65535) });
    expect(threeWays(bytes)?.header).toMatchObject({
      source: { address, port: 1, family: 6 },
      destination: { address: "::1", port: 65535, family: 6 },
    });
  });

  it("reads the paths of Unix sockets, up to their NUL", () => {
    const addresses = Buffer.alloc(216);
    addresses.write("/run/a.sock\0garbage", 0, "latin1");
    addresses.write("x".repeat(108), 108, "latin1");
    expect(threeWays(version2({ kind: 0x31, addresses }))?.header).toMatchObject({
      source: { address: "/run/a.sock", port: 0, family: "unix" },
      destination: { address: "x".repeat(108), family: "unix" },
    });
    expect(source(version2({ kind: 0x31, addresses: Buffer.alloc(216) }))?.address).toBe("");
  });

  it("believes no address of LOCAL, and reads over whatever it brings", () => {
    for (const addresses of [Buffer.alloc(0), IPV4, Buffer.from("no TLVs at all")]) {
      const read = threeWays(version2({ command: 0x20, addresses }));
      expect(read?.header).toMatchObject({ source: undefined, destination: undefined, tlvs: [] });
    }
  });

  it.each([0x00, 0x11, 0x13, 0x1f, 0x41, 0xff])(
    "accepts LOCAL whatever its family and protocol, %i",
    (kind) => {
      for (const addresses of [Buffer.alloc(0), IPV4]) {
        const bytes = version2({ command: 0x20, kind, addresses });
        expect(threeWays(bytes)).toMatchObject({ header: { source: undefined }, length: bytes.length });
      }
    },
  );

  it.each([
    ["unspecified", 0x00, Buffer.alloc(0)],
    ["a stream of no family", 0x01, Buffer.alloc(0)],
    ["UDP over IPv4", 0x12, IPV4],
    ["a Unix datagram", 0x32, Buffer.alloc(216)],
  ])("knows nobody by %s", (_what, kind, addresses) => {
    expect(threeWays(version2({ kind, addresses }))?.header.source).toBeUndefined();
  });

  it("hands on every TLV in order, repeated and empty ones too", () => {
    const tlvs = [
      [2, Buffer.from("example.com")],
      [5, Buffer.alloc(0)],
      [0xee, Buffer.from([1])],
      [0xee, Buffer.from([2])],
    ] as const;
    const bytes = version2({ tlvs });
    const read = threeWays(bytes)?.header.tlvs;
    expect(read?.map(({ type, value }) => [type, Buffer.from(value)])).toEqual(tlvs);
    bytes.fill(0);
    expect(Buffer.from(read?.[0]?.value ?? []).toString()).toBe("example.com");
  });

  it("tells that the client came over TLS by PP2_CLIENT_SSL, not by the mere field", () => {
    const ssl = (client: number) => version2({ tlvs: [[0x20, Buffer.from([client, 0, 0, 0, 0])]] });
    expect(readProxyHeader(ssl(1))?.header.encrypted).toBe(true);
    expect(readProxyHeader(ssl(0xfe))?.header.encrypted).toBe(false);
    const certificate = Buffer.concat([Buffer.from([1, 0, 0, 0, 0]), tlv(0x21, Buffer.from("TLSv1.3"))]);
    expect(threeWays(version2({ tlvs: [[0x20, certificate]] }))?.header.encrypted).toBe(true);
  });

  it("verifies a checksum where one is given", () => {
    const good = version2({ checksum: true, tlvs: [[2, Buffer.from("a")]] });
    expect(threeWays(good)?.header.source?.port).toBe(4711);
    for (let i = 16; i < good.length; i++) {
      if (i === good.length - 7) continue; // then it is no checksum
      const bad = Buffer.from(good);
      bad[i] = (bad[i] as number) ^ 1;
      expect(() => readProxyHeader(bad), `byte ${i}`).toThrow(ProxyProtocolError);
    }
    expect(() => readProxyHeader(version2({ tlvs: [[3, Buffer.alloc(3)]] }))).toThrow(ProxyProtocolError);
    const twice = version2({ tlvs: [[3, Buffer.alloc(4)]], checksum: true });
    expect(() => readProxyHeader(twice)).toThrow(ProxyProtocolError);
  });

  it.each([
    ["version 1 in binary", version2({ command: 0x11 })],
    ["version 3", version2({ command: 0x31 })],
    ["command 2", version2({ command: 0x22 })],
    ["family 4", version2({ kind: 0x41 })],
    ["no byte about TLS", version2({ tlvs: [[0x20, Buffer.alloc(0)]] })],
    ["one byte about TLS", version2({ tlvs: [[0x20, Buffer.from([1])]] })],
    ["four bytes about TLS", version2({ tlvs: [[0x20, Buffer.from([1, 0, 0, 0])]] })],
    [
      "a fact about TLS that runs past its field",
      version2({ tlvs: [[0x20, Buffer.from([1, 0, 0, 0, 0, 0x21, 0, 9])]] }),
    ],
    [
      "a fact about TLS without its length, in front of another field",
      version2({
        tlvs: [
          [0x20, Buffer.from([1, 0, 0, 0, 0, 0x21])],
          [2, Buffer.from("a")],
        ],
      }),
    ],
    ["protocol 3", version2({ kind: 0x13 })],
    ["no room for its addresses", version2({ addresses: IPV4.subarray(1) })],
    ["no room for IPv6", version2({ kind: 0x21 })],
    ["a TLV of two bytes", version2({ addresses: Buffer.concat([IPV4, Buffer.from([4, 0])]) })],
    ["a TLV beyond the end", version2({ addresses: Buffer.concat([IPV4, Buffer.from([4, 0, 2, 1])]) })],
    ["a broken signature", Buffer.concat([SIGNATURE.subarray(0, 11), Buffer.from("X")])],
  ])("refuses %s", (_what, bytes) => {
    expect(() => readProxyHeader(bytes)).toThrow(ProxyProtocolError);
  });

  it("S-43 an error repeats no control that the peer sent", () => {
    expect(() => text("PROXY TCP4 \x9b31m\r\n")).toThrow('"PROXY TCP4 \\u009b31m\\r\\n"');
  });

  it("takes a header of the limit's size, and refuses one byte more by its announced length alone", () => {
    const fill = DEFAULT_MAX_HEADER_SIZE - 16 - IPV4.length - 3;
    expect(threeWays(version2({ tlvs: [[4, Buffer.alloc(fill)]] }))?.length).toBe(DEFAULT_MAX_HEADER_SIZE);
    const more = version2({ tlvs: [[4, Buffer.alloc(fill + 1)]] });
    expect(() => readProxyHeader(more.subarray(0, 16))).toThrow(ProxyProtocolError);
    expect(readProxyHeader(more, DEFAULT_MAX_HEADER_SIZE + 1)?.length).toBe(DEFAULT_MAX_HEADER_SIZE + 1);
  });
});

it("crc32c() is Castagnoli's: RFC 3720 appendix B.4", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe306_9283);
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a91_36aa);
  expect(crc32c(Buffer.alloc(0))).toBe(0);
});

it("proxyVersion() decides with the first byte that fits neither", () => {
  expect(proxyVersion(Buffer.alloc(0))).toBeUndefined();
  expect(proxyVersion(Buffer.from("PROXY"))).toBeUndefined();
  expect(proxyVersion(Buffer.from("PROXY "))).toBe(1);
  expect(proxyVersion(SIGNATURE)).toBe(2);
  expect(proxyVersion(Buffer.from("PRI"))).toBe(0);
  expect(proxyVersion(Buffer.from([0x16]))).toBe(0);
});

describe("for all bytes", () => {
  const seeds = [
    latin1("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n"),
    latin1("PROXY TCP6 2001:db8::1 ::1 1 2\r\n"),
    version2({ tlvs: [[2, Buffer.from("a.test")]] }),
    version2({ checksum: true }),
    version2({ kind: 0x21, addresses: ipv6("0".repeat(32), "f".repeat(32), 1, 2) }),
    version2({ command: 0x20 }),
  ];

  it("there is a header, or need of more, or a ProxyProtocolError; and more bytes never change a header or an error", () => {
    const pick = dice(7);
    const outcomes = { header: 0, more: 0, error: 0 };
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.concat([
        seeds[pick(seeds.length)] as Uint8Array,
        Buffer.alloc(pick(4), pick(256)),
      ]);
      for (let flips = pick(3); flips > 0; flips--) bytes[pick(bytes.length)] = pick(256);
      let before: unknown;
      for (const end of [pick(bytes.length), bytes.length]) {
        let now: unknown;
        try {
          now = readProxyHeader(bytes.subarray(0, end));
        } catch (error) {
          if (!(error instanceof ProxyProtocolError)) throw error;
          now = error.code;
        }
        if (before !== undefined) expect(now).toEqual(before);
        before = now;
      }
      outcomes[before === undefined ? "more" : typeof before === "string" ? "error" : "header"]++;
    }
    for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(100);
  });

  it("a TLV that is none is found by its length: no byte behind the header is looked at", () => {
    const behind = Buffer.concat([
      version2({ addresses: Buffer.concat([IPV4, tlv(4, Buffer.alloc(2))]) }),
      tlv(2, Buffer.from("x")),
    ]);
    expect(readProxyHeader(behind)?.header.tlvs).toHaveLength(1);
  });
});
