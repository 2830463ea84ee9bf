// Certificates made anew for each run: an authority, and what it signs. The little of DER (X.690) and of X.509
// (RFC 5280 §4) that it takes: Node makes keys, but no certificates.
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export interface CertificateOptions {
  /** Names and IPv4 addresses that it is for. */
  readonly names?: readonly string[];
  /** Years it is good for. @default 2020 to 2049 */
  readonly from?: number;
  readonly until?: number;
}

/** Signs certificates, its own included. */
export class Authority {
  readonly #keys = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  readonly #name: string;
  /** To be trusted. */
  readonly cert: string;

  constructor(name: string) {
    this.#name = name;
    this.cert = this.#sign(name, this.#keys.publicKey, {}, true);
  }

  issue(commonName: string, options: CertificateOptions = {}): Certificate {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const key = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    return { key, cert: this.#sign(commonName, publicKey, { names: [commonName], ...options }, false) };
  }

  #sign(subject: string, publicKey: KeyObject, options: CertificateOptions, isAuthority: boolean): string {
    const { names = [], from = 2020, until = 2049 } = options;
    const tbs = sequence(
      der(0xa0, der(0x02, Buffer.from([2]))),
      der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
      ECDSA_WITH_SHA256,
      nameOf(this.#name),
      sequence(startOf(from), startOf(until)),
      nameOf(subject),
      publicKey.export({ type: "spki", format: "der" }),
      der(0xa3, sequence(...extensions(names, isAuthority))),
    );
    // A bit string begins with the number of its unused bits.
    const signature = der(0x03, Buffer.from([0]), sign("sha256", tbs, this.#keys.privateKey));
    const text = sequence(tbs, ECDSA_WITH_SHA256, signature).toString("base64");
    return `-----BEGIN CERTIFICATE-----\n${text.replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
  }
}

const ECDSA_WITH_SHA256 = sequence(der(0x06, Buffer.from("2a8648ce3d040302", "hex")));

function extensions(names: readonly string[], isAuthority: boolean): Buffer[] {
  const extension = (oid: string, value: Buffer): Buffer =>
    sequence(der(0x06, Buffer.from(oid, "hex")), der(0x04, value));
  const basic = extension("551d13", sequence(...(isAuthority ? [der(0x01, Buffer.from([0xff]))] : [])));
  if (names.length === 0) return [basic];
  const alternatives = names.map((name) =>
    isIPv4(name) ? der(0x87, Buffer.from(name.split(".").map(Number))) : der(0x82, Buffer.from(name)),
  );
  return [basic, extension("551d11", sequence(...alternatives))];
}

function nameOf(commonName: string): Buffer {
  const attribute = sequence(der(0x06, Buffer.from("550403", "hex")), der(0x0c, Buffer.from(commonName)));
  return sequence(der(0x31, attribute));
}

function startOf(year: number): Buffer {
  return der(0x17, Buffer.from(`${String(year % 100).padStart(2, "0")}0101000000Z`));
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, ...parts);
}

/** Tag, length, value. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), value]);
}
