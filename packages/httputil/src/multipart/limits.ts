// How much of a multipart body is taken.

import { checkInteger } from "@tw/util";

/** Limits of a multipart body; each guards against a peer that makes much work with few bytes (S-12). */
export interface MultipartLimits {
  /** Parts of one body; one more is `ERR_TW_MULTIPART_TOO_MANY_PARTS`. @default 100 */
  readonly maxParts?: number;
  /** Bytes of the head of one part, its empty line not counted; beyond, `ERR_TW_MULTIPART_HEAD_TOO_LARGE`. @default 10 240 */
  readonly maxPartHeaderSize?: number;
}

/** The limits with their defaults. */
export type ResolvedMultipartLimits = Required<MultipartLimits>;

const DEFAULT_MAX_PARTS = 100;
const DEFAULT_MAX_PART_HEADER_SIZE = 10 * 1024;

/** @throws TypeError, RangeError for what is no limit */
export function resolveMultipartLimits(limits: MultipartLimits = {}): ResolvedMultipartLimits {
  const { maxParts = DEFAULT_MAX_PARTS, maxPartHeaderSize = DEFAULT_MAX_PART_HEADER_SIZE } = limits;
  checkInteger("maxParts", maxParts);
  checkInteger("maxPartHeaderSize", maxPartHeaderSize);
  return { maxParts, maxPartHeaderSize };
}
