// How much of a query or a form is taken.

import { checkInteger } from "@tw/util";
import {
  type MultipartLimits,
  type ResolvedMultipartLimits,
  resolveMultipartLimits,
} from "../multipart/limits.js";

/** How arguments are read out of queries and bodies (Tornado's `ParseBodyConfig` with its `ParseMultipartConfig`). */
export interface ParseBodyConfig extends MultipartLimits {
  /** Whether multipart bodies are read; where not, they are left as bytes, for `request.multipart()` perhaps. @default true */
  readonly multipart?: boolean;
  /**
   * Fields of a query or a urlencoded form; what stands between two ampersands counts, empty or not. Beyond,
   * `ERR_TW_FORM_TOO_MANY_FIELDS`: a megabyte of ampersands would be a million objects. @default 1 000
   */
  readonly maxFields?: number;
  /** Bytes of all parts of a multipart form that are no files, `ERR_TW_MULTIPART_FIELDS_TOO_LARGE` beyond. @default 10 485 760 */
  readonly maxFieldsSize?: number;
}

/** The configuration with its defaults. */
export interface ResolvedParseBodyConfig extends ResolvedMultipartLimits {
  readonly multipart: boolean;
  readonly maxFields: number;
  readonly maxFieldsSize: number;
}

/** Fields of a query or a form. */
const DEFAULT_MAX_FIELDS = 1000;
/** As much as a body may have: who raises `maxBodySize` for files does not raise this. */
const DEFAULT_MAX_FIELDS_SIZE = 10 * 1024 * 1024;

/** @throws TypeError, RangeError for what is no limit */
export function resolveParseBodyConfig(config: ParseBodyConfig = {}): ResolvedParseBodyConfig {
  const {
    multipart = true,
    maxFields = DEFAULT_MAX_FIELDS,
    maxFieldsSize = DEFAULT_MAX_FIELDS_SIZE,
  } = config;
  if (typeof multipart !== "boolean") throw new TypeError("multipart must be a boolean");
  checkInteger("maxFields", maxFields);
  checkInteger("maxFieldsSize", maxFieldsSize);
  return { ...resolveMultipartLimits(config), multipart, maxFields, maxFieldsSize };
}
