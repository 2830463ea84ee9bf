// Another implementation as an oracle: what `ws` sends we read, what we send it reads, and garbage is judged alike.
import { Duplex, type Writable } from "node:stream";
import { expect, test } from "vitest";
import * as ws from "ws";
import type { WebSocketRole } from "../src/index.js";
import { corpus, describeEvent, feed, generator, machineOf, randomly } from "./helpers.js";

interface Internals {
  Receiver: new (options: object) => Writable;
  Sender: new (
    socket: Duplex,
    extensions: object,
    mask?: (key: Buffer) => void,
  ) => {
    send(data: unknown, options: object): void;
    ping(data: unknown, mask: boolean): void;
    close(code: number, data: string, mask: boolean): void;
  };
}
const { Receiver, Sender } = ws as unknown as Internals;

/** What the other implementation makes of `bytes`, in our words; a failure is its close code only. */
async function theirs(role: WebSocketRole, bytes: Uint8Array): Promise<string[]> {
  const receiver = new Receiver({
    isServer: role === "server",
    maxPayload: 10_485_760,
    allowSynchronousEvents: true,
  });
  const events: string[] = [];
  const hex = (data: Buffer) => data.toString("hex");
  receiver.on("message", (data: Buffer, binary: boolean) => {
    events.push(binary ? `binary ${hex(data)}`.trim() : `text ${JSON.stringify(data.toString())}`);
  });
  receiver.on("ping", (data: Buffer) => events.push(`ping ${hex(data)}`.trim()));
  receiver.on("pong", (data: Buffer) => events.push(`pong ${hex(data)}`.trim()));
  await new Promise<void>((resolve) => {
    receiver.on("conclude", (code: number, reason: Buffer) => {
      events.push(`close ${code} ${JSON.stringify(reason.toString())}`);
      resolve();
    });
    receiver.on("error", (error: Error) => {
      const symbols = Object.getOwnPropertySymbols(error);
      const code = symbols
        .map((symbol) => Reflect.get(error, symbol))
        .find((value) => typeof value === "number");
      events.push(`fail ${code}`);
      resolve();
    });
    receiver.write(Buffer.from(bytes), () => resolve());
  });
  return events;
}

const ours = (role: WebSocketRole, bytes: Uint8Array, seed: number): string[] =>
  feed(machineOf(role), randomly(bytes, seed)).map((event) =>
    event.type === "fail" ? `fail ${event.code}` : describeEvent(event),
  );

/** Where RFC 6455 is stricter than the oracle, or it answers another code: lengths that are not minimal, the top bit. */
const excepted = (name: string): boolean => /length of|top bit|largest length/.test(name);

test.each(corpus("frames.md").filter(({ name }) => !excepted(name)))(
  "agrees on $name",
  async ({ role, bytes }) => {
    expect(ours(role, bytes, 1)).toEqual(await theirs(role, bytes));
  },
);

test("agrees on random streams of frames, good and bad", async () => {
  const random = generator(2024);
  let failed = 0;
  let earlier = 0;
  for (let round = 0; round < 1500; round++) {
    const role = round % 2 ? "client" : "server";
    const frames: Uint8Array[] = [];
    for (let i = Math.floor(random() * 6); i >= 0; i--) frames.push(randomFrame(random, role));
    const bytes = Buffer.concat(frames);
    const expected = await theirs(role, bytes);
    const actual = ours(role, bytes, round);
    if (actual.at(-1) === "fail 1007" && expected.at(-1) !== "fail 1007") {
      // Wrong text in a fragment: we fail at once, the oracle when the message ends, if it ever does.
      expect(actual.slice(0, -1), bytes.toString("hex")).toEqual(expected.slice(0, actual.length - 1));
      earlier++;
      continue;
    }
    expect(actual, bytes.toString("hex")).toEqual(expected);
    if (expected.at(-1)?.startsWith("fail")) failed++;
  }
  expect(failed).toBeGreaterThan(200);
  expect(failed).toBeLessThan(1300);
  expect(earlier).toBeLessThan(200);
});

/** A frame that is well-formed most of the time. */
function randomFrame(random: () => number, role: WebSocketRole): Uint8Array {
  const opcodes = [1, 1, 2, 2, 0, 0, 9, 10, 1, 2, 8, 3];
  const opcode = opcodes[Math.floor(random() ** 1.3 * opcodes.length)] as number;
  const fin = opcode > 7 ? random() < 0.97 : random() < 0.6;
  const rsv = random() < 0.02 ? 0x10 << Math.floor(random() * 3) : 0;
  const masked = role === "server" ? random() > 0.02 : random() < 0.02;
  const pieces = ["61", "c3a9", "e282ac", "f09f9880", "e2", "82ac"];
  let payload = Buffer.alloc(0);
  if (opcode === 8) {
    const codes = [1000, 1001, 3000, 4999, 1005, 0, 2000];
    payload = Buffer.alloc(random() < 0.9 ? 2 : 1);
    if (payload.length === 2)
      payload.writeUInt16BE(codes[Math.floor(random() ** 2 * codes.length)] as number);
  }
  for (let i = Math.floor(random() * 5); i > 0 && payload.length !== 1; i--) {
    const piece = pieces[Math.floor(random() ** 2.5 * pieces.length)] as string;
    payload = Buffer.concat([
      payload,
      Buffer.from(piece.repeat(random() < 0.1 && opcode < 3 ? 60 : 1), "hex"),
    ]);
  }
  const { length } = payload;
  const head = length < 126 ? [length] : [126, length >> 8, length & 0xff];
  head[0] = (head[0] as number) | (masked ? 0x80 : 0);
  const key = Buffer.from(masked ? [random() * 256, random() * 256, random() * 256, random() * 256] : []);
  const body = masked ? payload.map((byte, i) => byte ^ (key[i & 3] as number)) : payload;
  return Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | rsv | opcode, ...head]), key, body]);
}

test.each(["server", "client"] as const)("a %s of ours reads what the oracle sends", (role) => {
  const mask = role === "server";
  const written: Buffer[] = [];
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk);
      done();
    },
  });
  const sender = new Sender(socket, {});
  const options = { mask, compress: false, fin: true };
  const long = Buffer.alloc(70_000, 7);
  sender.send("hé", { ...options, binary: false });
  sender.send(Buffer.from("fr"), { ...options, binary: true, fin: false });
  sender.ping(Buffer.from("p"), mask);
  sender.send(Buffer.from("ag"), { ...options, binary: true });
  sender.send(long, { ...options, binary: true });
  sender.close(1001, "bye", mask);
  expect(feed(machineOf(role), randomly(Buffer.concat(written), 3)).map(describeEvent)).toEqual([
    'text "hé"',
    "ping 70",
    "binary 66726167",
    `binary ${long.toString("hex")}`,
    'close 1001 "bye"',
  ]);
});

test.each(["server", "client"] as const)("the oracle reads what a %s of ours sends", async (role) => {
  const machine = machineOf(role, { fragmentSize: 1000 });
  const text = "hé€".repeat(500);
  const chunks = [
    ...machine.sendText("a"),
    ...machine.sendText(text),
    ...machine.ping("p"),
    ...machine.sendBinary(new Uint8Array(3001).fill(9)),
    ...machine.close(1000, "bye"),
  ];
  const bytes = Buffer.concat(
    chunks.map((chunk) => (typeof chunk === "string" ? Buffer.from(chunk, "latin1") : chunk)),
  );
  expect(await theirs(role === "client" ? "server" : "client", bytes)).toEqual([
    'text "a"',
    `text ${JSON.stringify(text)}`,
    "ping 70",
    `binary ${"09".repeat(3001)}`,
    'close 1000 "bye"',
  ]);
});
