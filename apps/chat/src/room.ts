// The room: who is in it and what was said. It knows no sockets and no clock, only voices that can be sent a text.

import type { RoomLimits } from "./limits.js";
import { isDecentName, nameKey, tidyName } from "./names.js";
import type { Person, Refusal, Said, ServerMessage } from "./protocol.js";
import { TokenBucket } from "./token-bucket.js";

/** A way to reach one page. */
export interface Voice {
  send(text: string): void;
  /** Bytes that were sent and not taken yet. */
  readonly bufferedAmount: number;
  close(code: number, reason: string): void;
}

/** What the room asks of its surroundings. */
export interface RoomWorld {
  /** Monotonic milliseconds. */
  now(): number;
  /** Milliseconds since 1970. */
  wallNow(): number;
  /** A text that nobody can guess. */
  secret(): string;
}

/** Somebody in the room, with what the others do not see. */
export interface Member {
  readonly person: Person;
  readonly key: string;
  readonly bucket: TokenBucket;
  voice: Voice;
  refusals: number;
}

/** Answers of the room that close the socket: the page shows the reason and does not come back by itself. */
export const CLOSE_REFUSED = 4000;
export const CLOSE_ELSEWHERE = 4001;
export const CLOSE_FULL = 4003;

export class Room {
  readonly #limits: RoomLimits;
  readonly #world: RoomWorld;
  readonly #run: string;
  readonly #members = new Map<string, Member>();
  readonly #history: Said[] = [];
  #people = 0;
  #messages = 0;

  constructor(limits: RoomLimits, world: RoomWorld) {
    this.#limits = limits;
    this.#world = world;
    this.#run = world.secret().slice(0, 8);
  }

  /** How many are here. */
  get size(): number {
    return this.#members.size;
  }

  /**
   * Lets somebody in, and answers `undefined` where the door stays shut: the voice has then heard why and is closed.
   * With the `key` of somebody who is here the voice takes their place: a page whose old connection has not ended yet.
   */
  join(voice: Voice, name: string, key?: string): Member | undefined {
    const old = key === undefined ? undefined : this.#byKey(key);
    if (old !== undefined) return this.#takeOver(old, voice);
    const tidy = tidyName(name);
    const refusal = this.#checkName(tidy);
    if (refusal !== undefined) return this.#turnAway(voice, ...refusal);
    const person = { id: `${this.#run}.${++this.#people}`, name: tidy };
    const { burst, perSecond } = this.#limits;
    const bucket = new TokenBucket(burst, perSecond, this.#world.now());
    const member: Member = { person, key: this.#world.secret(), bucket, voice, refusals: 0 };
    this.#broadcast({ type: "joined", person, at: this.#world.wallNow() });
    this.#members.set(nameKey(tidy), member);
    this.#welcome(member);
    return member;
  }

  /** Says `text` to everybody, the one who says it included; or tells them alone why not. */
  say(member: Member, text: string): void {
    const trimmed = text.trim();
    const refusal = this.#checkText(member, trimmed);
    if (refusal !== undefined) {
      this.#refuse(member, ...refusal);
      return;
    }
    member.refusals = 0;
    const { person: from } = member;
    const said: Said = {
      type: "message",
      id: ++this.#messages,
      from,
      text: trimmed,
      at: this.#world.wallNow(),
    };
    this.#history.push(said);
    if (this.#history.length > this.#limits.history) this.#history.shift();
    this.#broadcast(said);
  }

  /** Takes `voice` out of the room; nothing happens when another one has taken its place. Idempotent. */
  leave(member: Member, voice: Voice): void {
    if (member.voice !== voice || !this.#members.delete(nameKey(member.person.name))) return;
    this.#broadcast({ type: "left", person: member.person, at: this.#world.wallNow() });
  }

  #checkName(name: string): [Refusal, string, number?] | undefined {
    const { nameLength, people } = this.#limits;
    if (name === "") return ["name-empty", "Please choose a name."];
    if (name.length > nameLength) {
      return ["name-too-long", `This name has ${name.length} characters; ${nameLength} is the limit.`];
    }
    if (!isDecentName(name)) return ["name-forbidden", "This name has characters that cannot be shown."];
    if (this.#members.has(nameKey(name))) return ["name-taken", "Somebody with this name is here already."];
    if (this.#members.size >= people) {
      return ["room-full", `The room is full: ${people} people are here.`, CLOSE_FULL];
    }
    return undefined;
  }

  #checkText(member: Member, text: string): [Refusal, string] | undefined {
    const { textLength } = this.#limits;
    if (text === "") return ["text-empty", "There is nothing in this message."];
    if (text.length > textLength) {
      return ["text-too-long", `This message has ${text.length} characters; ${textLength} is the limit.`];
    }
    if (!member.bucket.take(this.#world.now())) {
      return ["too-fast", "That was fast. Wait a moment, then send it again."];
    }
    return undefined;
  }

  #turnAway(voice: Voice, code: Refusal, message: string, closeCode: number = CLOSE_REFUSED): undefined {
    voice.send(JSON.stringify({ type: "refused", code, message } satisfies ServerMessage));
    voice.close(closeCode, message);
  }

  #takeOver(member: Member, voice: Voice): Member {
    const before = member.voice;
    member.voice = voice;
    before.close(CLOSE_ELSEWHERE, "This place was taken by a newer connection.");
    this.#welcome(member);
    return member;
  }

  #byKey(key: string): Member | undefined {
    for (const member of this.#members.values()) if (member.key === key) return member;
    return undefined;
  }

  #welcome({ person, key, voice }: Member): void {
    const { nameLength, textLength } = this.#limits;
    const message: ServerMessage = {
      type: "welcome",
      you: { ...person, key },
      people: [...this.#members.values()].map((member) => member.person),
      history: this.#history,
      run: this.#run,
      limits: { nameLength, textLength },
    };
    voice.send(JSON.stringify(message));
  }

  #refuse(member: Member, code: Refusal, message: string): void {
    if (++member.refusals > this.#limits.refusals) {
      member.voice.close(1008, "Too many messages that could not be accepted.");
      return;
    }
    this.#sendTo(member, JSON.stringify({ type: "refused", code, message } satisfies ServerMessage));
  }

  /** One text for all; who does not read is let go before their share of the memory grows further. */
  #broadcast(message: ServerMessage): void {
    const text = JSON.stringify(message);
    for (const member of [...this.#members.values()]) this.#sendTo(member, text);
  }

  #sendTo({ voice }: Member, text: string): void {
    if (voice.bufferedAmount > this.#limits.bufferedBytes) voice.close(1013, "You were reading too slowly.");
    else voice.send(text);
  }
}
