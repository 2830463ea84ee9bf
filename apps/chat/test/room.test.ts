import { describe, expect, it } from "vitest";
import { ROOM_LIMITS, type RoomLimits } from "../src/limits.js";
import type { ServerMessage } from "../src/protocol.js";
import { Room, type Voice } from "../src/room.js";

/** A page that remembers what it heard. */
class Page implements Voice {
  readonly heard: ServerMessage[] = [];
  closed: { code: number; reason: string } | undefined;
  bufferedAmount = 0;

  send(text: string): void {
    this.heard.push(JSON.parse(text));
  }

  close(code: number, reason: string): void {
    this.closed ??= { code, reason };
  }

  get last(): ServerMessage | undefined {
    return this.heard.at(-1);
  }

  texts(): string[] {
    return this.heard.flatMap((message) => (message.type === "message" ? [message.text] : []));
  }
}

function world(limits: Partial<RoomLimits> = {}) {
  const clock = { nowMs: 0 };
  let secrets = 0;
  const room = new Room(
    { ...ROOM_LIMITS, ...limits },
    { now: () => clock.nowMs, wallNow: () => 1000 + clock.nowMs, secret: () => `secret-${++secrets}` },
  );
  const enter = (name: string, key?: string) => {
    const page = new Page();
    const member = room.join(page, name, key);
    return { page, member };
  };
  const come = (name: string) => {
    const { page, member } = enter(name);
    if (member === undefined) throw new Error(`${name} was turned away`);
    return { page, member };
  };
  return { room, clock, enter, come };
}

describe("join()", () => {
  it("welcomes with the people, oneself included, and tells the others", () => {
    const { come } = world();
    const ada = come("Ada");
    const ben = come(" Ben  B ");
    expect(ben.page.heard).toMatchObject([{ type: "welcome", you: { name: "Ben B" }, history: [] }]);
    expect(ben.page.heard).toMatchObject([{ people: [{ name: "Ada" }, { name: "Ben B" }] }]);
    expect(ada.page.last).toEqual({ type: "joined", person: ben.member.person, at: 1000 });
  });

  it("never shows the key of one person to another", () => {
    const { come } = world();
    const ada = come("Ada");
    const ben = come("Ben");
    expect(JSON.stringify(ben.page.heard)).not.toContain(ada.member.key);
    expect(JSON.stringify(ada.page.heard)).not.toContain(ben.member.key);
  });

  it("accepts a name of 32 characters and refuses one of 33", () => {
    const { enter } = world();
    expect(enter("n".repeat(32)).member).toBeDefined();
    const { page, member } = enter("m".repeat(33));
    expect(member).toBeUndefined();
    expect(page.last).toMatchObject({ type: "refused", code: "name-too-long" });
    expect(page.closed).toEqual({ code: 4000, reason: "This name has 33 characters; 32 is the limit." });
  });

  it.each([
    ["", "name-empty"],
    ["  \t ", "name-empty"],
    ["a\u0000b", "name-forbidden"],
    ["a\nb", "name-forbidden"],
    ["\u202eadA", "name-forbidden"],
    ["\ud800", "name-forbidden"],
    ["\u200b", "name-forbidden"],
    ["\u3164", "name-forbidden"],
  ])("refuses the name %j: %s", (name, code) => {
    const { page } = world().enter(name);
    expect(page.last).toMatchObject({ type: "refused", code });
  });

  it.each(["Ada", "ADA", " ada ", "Ａda", "A\u200bda", "A d a"])("takes %j for the name of Ada", (name) => {
    const { come, enter } = world();
    come("Ada");
    expect(enter(name).page.last).toMatchObject({ type: "refused", code: "name-taken" });
  });

  it("lets a name go when its owner leaves", () => {
    const { come, room } = world();
    const ada = come("Ada");
    room.leave(ada.member, ada.page);
    expect(come("Ada").member.person.id).not.toBe(ada.member.person.id);
  });

  it("is full at its limit, not before, and says so with 4003", () => {
    const { come, enter, room } = world({ people: 2 });
    const ada = come("Ada");
    come("Ben");
    expect(enter("Cleo").page.closed).toEqual({ code: 4003, reason: "The room is full: 2 people are here." });
    room.leave(ada.member, ada.page);
    expect(enter("Cleo").member).toBeDefined();
  });

  it("gives the place to whoever brings the key, without a word to the others", () => {
    const { come, enter, room } = world();
    const ada = come("Ada");
    const ben = come("Ben");
    const again = enter("whatever", ada.member.key);
    expect(again.member?.person).toEqual(ada.member.person);
    expect(ada.page.closed?.code).toBe(4001);
    room.leave(ada.member, ada.page);
    expect(room.size).toBe(2);
    expect(ben.page.heard).toHaveLength(1);
  });

  it("takes an unknown key for none", () => {
    const { enter } = world();
    expect(enter("Ada", "guessed").page.last).toMatchObject({ type: "welcome", you: { name: "Ada" } });
  });
});

describe("say()", () => {
  it("tells everybody, the speaker included, in one order", () => {
    const { come, room } = world();
    const ada = come("Ada");
    const ben = come("Ben");
    room.say(ada.member, " one ");
    room.say(ben.member, "two");
    expect(ada.page.texts()).toEqual(["one", "two"]);
    expect(ben.page.texts()).toEqual(["one", "two"]);
  });

  it("accepts 2000 characters and refuses 2001", () => {
    const { come, room } = world();
    const { page, member } = come("Ada");
    room.say(member, "x".repeat(2000));
    expect(page.last).toMatchObject({ type: "message" });
    room.say(member, "x".repeat(2001));
    expect(page.last).toMatchObject({ type: "refused", code: "text-too-long" });
  });

  it("refuses blanks", () => {
    const { come, room } = world();
    const { page, member } = come("Ada");
    room.say(member, " \n ");
    expect(page.last).toMatchObject({ type: "refused", code: "text-empty" });
  });

  it("allows the burst, refuses one more to the speaker alone, and allows again after a second", () => {
    const { come, room, clock } = world();
    const ada = come("Ada");
    const ben = come("Ben");
    for (let i = 0; i < 9; i++) room.say(ada.member, `m${i}`);
    expect(ben.page.texts()).toHaveLength(8);
    expect(ada.page.last).toMatchObject({ type: "refused", code: "too-fast" });
    clock.nowMs = 999;
    room.say(ada.member, "early");
    clock.nowMs = 1000;
    room.say(ada.member, "late");
    expect(ben.page.texts().slice(8)).toEqual(["late"]);
  });

  it("closes with 1008 after more refusals in a row than the limit", () => {
    const { come, room } = world({ refusals: 3 });
    const { page, member } = come("Ada");
    for (let i = 0; i < 3; i++) room.say(member, "");
    expect(page.closed).toBeUndefined();
    room.say(member, "fine");
    for (let i = 0; i < 3; i++) room.say(member, "");
    expect(page.closed).toBeUndefined();
    room.say(member, "");
    expect(page.closed?.code).toBe(1008);
  });

  it("keeps the last 50 messages for who comes later", () => {
    const { come, room } = world({ burst: 100 });
    const { member } = come("Ada");
    for (let i = 0; i < 51; i++) room.say(member, `m${i}`);
    const welcome = come("Ben").page.last;
    if (welcome?.type !== "welcome") throw new Error("no welcome");
    expect(welcome.history.map((said) => said.text)).toEqual(
      Array.from({ length: 50 }, (_, i) => `m${i + 1}`),
    );
  });

  it("lets a reader go who is more than the limit behind, and sends to one who is exactly at it", () => {
    const { come, room } = world({ bufferedBytes: 100 });
    const ada = come("Ada");
    const slow = come("Slow");
    slow.page.bufferedAmount = 100;
    room.say(ada.member, "one");
    expect(slow.page.texts()).toEqual(["one"]);
    slow.page.bufferedAmount = 101;
    room.say(ada.member, "two");
    expect(slow.page.texts()).toEqual(["one"]);
    expect(slow.page.closed?.code).toBe(1013);
  });
});

describe("leave()", () => {
  it("tells the others once", () => {
    const { come, room } = world();
    const ada = come("Ada");
    const ben = come("Ben");
    room.leave(ada.member, ada.page);
    room.leave(ada.member, ada.page);
    expect(ben.page.heard.slice(1)).toEqual([{ type: "left", person: ada.member.person, at: 1000 }]);
    expect(room.size).toBe(1);
  });
});
