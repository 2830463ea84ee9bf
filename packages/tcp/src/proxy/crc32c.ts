// CRC-32C (Castagnoli), RFC 9260 appendix A: the checksum of a PROXY header.

let table: Uint32Array | undefined;

/** The checksum of `bytes`. */
export function crc32c(bytes: Uint8Array): number {
  table ??= makeTable();
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 255] as number);
  return (crc ^ 0xffff_ffff) >>> 0;
}

function makeTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, i) => {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
    return crc;
  });
}
