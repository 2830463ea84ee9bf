// Standard Schema v1, by its shape: zod, valibot, arktype and others have it. Nothing is imported from any of them.

import type { BodyIssue } from "./errors.js";

/** What `json()` takes: anything with a `~standard` of version 1. */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** Either a value or what is wrong with it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly BodyIssue[] };
