// A certificate for localhost that signs itself, made anew for each run: the little of DER (X.690) and X.509
// (RFC 5280 §4.1) that it takes. Node makes keys but no certificates.
import { generateKeyPairSync, sign } from "node:crypto";

export interface SelfSigned {
  readonly key: string;
  readonly cert: string;
}

/** What a certificate says. */
export interface Claims {
  readonly commonName?: string;
  /** As UTCTime has it (RFC 5280 §4.1.2.5.1). */
  readonly notBefore?: string;
  readonly notAfter?: string;
}

export function selfSigned(claims: Claims = {}): SelfSigned {
  const { commonName: host = "localhost", notBefore = "200101000000Z", notAfter = "491231235959Z" } = claims;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const ecdsaWithSha256 = sequence(der(0x06, Buffer.from("2a8648ce3d040302", "hex")));
  const commonName = der(0x06, Buffer.from("550403", "hex"));
  const name = sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(host)))));
  const tbs = sequence(
    der(0xa0, integer(2)),
    integer(1),
    ecdsaWithSha256,
    name,
    sequence(der(0x17, Buffer.from(notBefore)), der(0x17, Buffer.from(notAfter))),
    name,
    publicKey.export({ type: "spki", format: "der" }),
  );
  // A bit string begins with the number of its unused bits.
  const signature = der(0x03, Buffer.from([0]), sign("sha256", tbs, privateKey));
  const cert = sequence(tbs, ecdsaWithSha256, signature).toString("base64");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${cert.replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`,
  };
}

/** Tag, length, value. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const length = value.length < 128 ? [value.length] : [0x82, value.length >> 8, value.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), value]);
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function integer(value: number): Buffer {
  return der(0x02, Buffer.from([value]));
}
