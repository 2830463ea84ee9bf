// Integers of 64 bits as text, as Redis reads them: no blanks, no plus, no leading zeros.

const INTEGER = /^(?:0|-?[1-9]\d*)$/;
const MAX = 2n ** 63n - 1n;
const MIN = -(2n ** 63n);

/** The integer that `text` says, or `undefined`. A number where that is exact. */
export function parseInteger(text: string): number | bigint | undefined {
  if (text.length > 20 || !INTEGER.test(text)) return undefined;
  if (text.length <= 15) return Number(text);
  const big = BigInt(text);
  return big < MIN || big > MAX ? undefined : big;
}

/** `left + right`, or `undefined` beyond 64 bits. */
export function addIntegers(left: number | bigint, right: number | bigint): number | bigint | undefined {
  if (typeof left === "number" && typeof right === "number") return left + right;
  const sum = BigInt(left) + BigInt(right);
  return sum < MIN || sum > MAX ? undefined : sum;
}
