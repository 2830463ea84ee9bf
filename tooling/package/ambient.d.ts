// The only globals beyond ECMAScript that a pure package may use: each is a pure function of its input.
// A pure package compiles with `"types": []`, so that reaching for a socket, a timer or a clock is a type error.

declare class TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number };
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(input?: Uint8Array, options?: { stream?: boolean }): string;
}
