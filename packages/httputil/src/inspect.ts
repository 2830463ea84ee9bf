// How `console.log` shows an object: Node, and nobody else, asks for a method under this name.

const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/**
 * Makes `console.log` of an instance show what `text` gives; `inspect` is Node's, with the options in force. It is no member
 * of the class, since `isolatedDeclarations` knows no names that are computed.
 */
export function showAs<T>(
  { prototype }: { readonly prototype: T },
  text: (object: T, inspect: (value: unknown) => string) => string,
): void {
  function value(
    this: T,
    _depth: number,
    options: unknown,
    inspect: (value: unknown, options: unknown) => string,
  ): string {
    return text(this, (each) => inspect(each, options));
  }
  Object.defineProperty(prototype, INSPECT, { value, configurable: true });
}
