// Headers of the PROXY protocol, made by hand.

import { crc32c } from "../src/proxy/crc32c.js";

export const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

export interface Version2 {
  /** Version and command; 0x21 is PROXY. */
  readonly command?: number;
  /** Family and protocol; 0x11 is TCP over IPv4. */
  readonly kind?: number;
  readonly addresses?: Buffer;
  readonly tlvs?: readonly (readonly [type: number, value: Buffer])[];
  /** Adds the checksum. */
  readonly checksum?: boolean;
}

/** The addresses of 192.0.2.1:4711 → 198.51.100.7:443. */
export const IPV4 = Buffer.from([192, 0, 2, 1, 198, 51, 100, 7, 4711 >> 8, 4711 & 255, 1, 187]);

export function version2(options: Version2 = {}): Buffer {
  const { command = 0x21, kind = 0x11, addresses = IPV4, tlvs = [], checksum = false } = options;
  const fields = checksum ? [...tlvs, [3, Buffer.alloc(4)] as const] : tlvs;
  const rest = [addresses, ...fields.map(([type, value]) => tlv(type, value))];
  const size = Buffer.alloc(2);
  size.writeUInt16BE(Buffer.concat(rest).length);
  const header = Buffer.concat([SIGNATURE, Buffer.from([command, kind]), size, ...rest]);
  if (checksum) header.writeUInt32BE(crc32c(header), header.length - 4);
  return header;
}

export function tlv(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), value]);
}

/** Two addresses of 16 bytes each, in hexadecimal, and their ports. */
export function ipv6(from: string, to: string, fromPort: number, toPort: number): Buffer {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(fromPort);
  ports.writeUInt16BE(toPort, 2);
  return Buffer.concat([Buffer.from(from, "hex"), Buffer.from(to, "hex"), ports]);
}
