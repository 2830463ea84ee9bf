// What page and server say to each other: JSON objects, one a WebSocket message, told apart by `type`. public/main.js is
// the other half.

/** Somebody in the room, as everybody sees them. */
export interface Person {
  /** Unique for ever: a server that starts again gives other ids. */
  readonly id: string;
  readonly name: string;
}

/** A message that was said. Ids grow. */
export interface Said {
  readonly type: "message";
  readonly id: number;
  readonly from: Person;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** From the server. */
export type ServerMessage =
  | Said
  | { readonly type: "joined" | "left"; readonly person: Person; readonly at: number }
  | { readonly type: "refused"; readonly code: Refusal; readonly message: string }
  | {
      readonly type: "welcome";
      /** `key` proves to be this person again when the connection breaks. */
      readonly you: Person & { readonly key: string };
      readonly people: readonly Person[];
      readonly history: readonly Said[];
      /** Names this life of the server: message ids of another life say nothing. */
      readonly run: string;
      readonly limits: { readonly nameLength: number; readonly textLength: number };
    };

/** From the page. */
export type ClientMessage =
  | { readonly type: "join"; readonly name: string; readonly key?: string }
  | { readonly type: "say"; readonly text: string };

/** Why something was refused. */
export type Refusal =
  | "name-empty"
  | "name-too-long"
  | "name-forbidden"
  | "name-taken"
  | "room-full"
  | "text-empty"
  | "text-too-long"
  | "too-fast";

/** Reads what a page sent; `undefined` for whatever no page of ours sends. */
export function readClientMessage(data: string): ClientMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { type, name, key, text } = value as Record<string, unknown>;
  if (type === "say" && typeof text === "string") return { type, text };
  if (type !== "join" || typeof name !== "string") return undefined;
  if (key === undefined) return { type, name };
  return typeof key === "string" ? { type, name, key } : undefined;
}
