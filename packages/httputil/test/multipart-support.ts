// Multipart bodies and what a parser says of them, for the tests.

import { fromLatin1, fromUtf8, isTwError, latin1, utf8 } from "@tw/util";
import { type MultipartEvent, type MultipartLimits, MultipartParser } from "../src/index.js";

/** A part as it was read: its data as latin1 text. */
export interface ReadPart {
  readonly name: string;
  readonly filename: string | undefined;
  readonly contentType: string;
  data: string;
}

/** `--B` lines around parts; each is a head's Content-Disposition parameters, more lines, and data. */
export function body(
  ...parts: readonly (readonly [disposition: string, data: string, more?: string])[]
): string {
  const texts = parts.map(
    ([disposition, data, more = ""]) =>
      `--B\r\nContent-Disposition: form-data; ${disposition}\r\n${more}\r\n${data}\r\n`,
  );
  return `${texts.join("")}--B--\r\n`;
}

/** Feeds the pieces and collects the parts. @throws what the parser throws */
export function parse(
  pieces: readonly (string | Uint8Array)[],
  limits?: MultipartLimits,
  boundary = "B",
): ReadPart[] {
  const parser = new MultipartParser(boundary, limits);
  const parts: ReadPart[] = [];
  let open = false;
  let ended = false;
  const take = (event: MultipartEvent) => {
    if (ended) throw new Error(`${event.type} behind the end`);
    if (event.type === "part") {
      const { name, filename, contentType } = event.head;
      if (open) throw new Error("a part within a part");
      parts.push({ name, filename, contentType, data: "" });
      open = true;
    } else if (event.type === "data") {
      if (!open || event.bytes.length === 0) throw new Error("data of no part, or none");
      (parts.at(-1) as ReadPart).data += fromLatin1(event.bytes);
    } else if (event.type === "partEnd") open = false;
    else ended = true;
  };
  for (const piece of pieces) {
    parser.receive(typeof piece === "string" ? latin1(piece) : piece);
    for (let event = parser.next(); event !== undefined; event = parser.next()) take(event);
  }
  parser.receiveEnd();
  if (!ended || open) throw new Error("no end");
  return parts;
}

/** The code of what `run` throws, or `"none"`. Fails on anything but an HTTPInputError. */
export function refusal(run: () => unknown): string {
  try {
    run();
    return "none";
  } catch (error) {
    if (!isTwError(error) || !("status" in error)) throw error;
    return error.code;
  }
}

/** What two ways of reading the same bytes must agree in: the parts, or the code of the refusal. */
export function outcome(run: () => ReadPart[]): string {
  try {
    return JSON.stringify(run());
  } catch (error) {
    if (!isTwError(error) || !("status" in error)) throw error;
    return error.code;
  }
}

/** Latin1 text of the UTF-8 of `text`: how it reads byte by byte. */
export function raw(text: string): string {
  return fromLatin1(utf8(text));
}

/** Everything that an iterable yields. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

export { fromLatin1, fromUtf8, latin1, utf8 };
