// What a pattern says about its parameters, read by the compiler out of the pattern's own text.

/**
 * The parameters of a pattern by name. Optional ones (`:id?`) are absent when the path leaves them out. Of a pattern
 * that is not known at compile time all that is known is that its values are text.
 *
 * @example
 * type P = PathParams<"/story/:id/:page{[0-9]+}?">; // { readonly id: string; readonly page?: string }
 */
export type PathParams<P extends string> = string extends P
  ? Record<string, string>
  : Flat<
      { readonly [K in NameOf<P, "required">]: string } & { readonly [K in NameOf<P, "optional">]?: string }
    >;

/**
 * The parameters of a pattern by position, as a verb of a handler receives them.
 *
 * @example
 * type A = PathArgs<"/story/:id/:page?">; // [string, string?]
 */
export type PathArgs<P extends string> = string extends P ? string[] : Args<P>;

/** What `urlFor` takes for a pattern: {@link PathParams}, where numbers may stand for text. */
export type UrlParams<P extends string> = { readonly [K in keyof PathParams<P>]: string | number };

/** One segment: its name and whether the path must have it; `never` for a literal. */
type Param<S extends string> = S extends `:${infer Body}`
  ? Body extends `${infer Name}{${infer Rest}`
    ? [Name, Rest extends `${string}?` ? "optional" : "required"]
    : Body extends `${infer Name}?`
      ? [Name, "optional"]
      : [Body, "required"]
  : S extends `*${infer Name}`
    ? Name extends ""
      ? never
      : [Name, "required"]
    : never;

type NameOf<P extends string, Presence> = P extends `${infer Head}/${infer Tail}`
  ? NameIn<Param<Head>, Presence> | NameOf<Tail, Presence>
  : NameIn<Param<P>, Presence>;

type NameIn<Found, Presence> = Found extends [infer Name extends string, Presence] ? Name : never;

type Args<P extends string, Acc extends (string | undefined)[] = []> = P extends `${infer Head}/${infer Tail}`
  ? Args<Tail, Append<Acc, Param<Head>>>
  : Append<Acc, Param<P>>;

type Append<Acc extends (string | undefined)[], Found> = [Found] extends [never]
  ? Acc
  : Found extends [string, "optional"]
    ? [...Acc, string?]
    : [...Acc, string];

type Flat<T> = { [K in keyof T]: T[K] };
