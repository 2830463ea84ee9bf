// Streams that share a page of the poller's, asked at random for all that sends. Whatever the others do, each sends what it
// was given, once and in order; whoever was told to wait is told to go on; and in the end nobody has the page.
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { IOLoop } from "@tw/ioloop";
import { onEveryEngine, type TestEngine } from "@tw/tooling-testing";
import { dice } from "@tw/tooling-testing/dice";
import { afterAll, expect, it } from "vitest";
import { IOStream, type StreamOptions } from "../src/index.js";
import { type NativeEngine, NativeTransport, nativeEngine } from "../src/transports.js";
import { turn } from "./helpers.js";
import { tcpDescriptors } from "./native-pairs.js";
import { loop, nodePair, until } from "./node-pairs.js";
import { FILE_SIZE, PatternSender, patternOf } from "./pattern-sender.js";
import { TemporaryFiles } from "./temporary-files.js";

const SENDERS = 8;
const STEPS = 1200;

onEveryEngine((engine) => {
  const files = new TemporaryFiles();
  const fds = Array.from({ length: SENDERS }, (_, who) => files.make(patternOf(who, 0, FILE_SIZE)).fd);
  const otherLoop = new IOLoop({ logger: loop.logger });
  afterAll(() => otherLoop.close());

  /** Every second one on another loop of the thread, every third one over a Unix socket, some with little room. */
  async function makeSender(who: number, roll: (below: number) => number): Promise<PatternSender> {
    const options: StreamOptions = {
      loop: who % 2 === 0 ? loop : otherLoop,
      maxWriteBufferSize: LIMITS[roll(3)] as number,
    };
    return new PatternSender(
      who,
      await makePair(engine, who % 3 === 0 ? "unix" : "tcp", options),
      fds[who] as number,
    );
  }

  it.each([1, 2, 3])("sendCopies() among all that sends: random calls, seed %i", async (seed) => {
    const roll = dice(seed);
    const senders = await Promise.all(fds.map((_, who) => makeSender(who, roll)));
    const corks = new Map<PatternSender, Disposable[]>();
    const pending: Promise<unknown>[] = [];
    let paged = 0;
    const observe = (): void => {};
    const stopObserving = (): void => {
      while (unsubscribe(SENT, observe)) {}
    };

    const act = (depth: number): void => {
      const who = roll(SENDERS);
      const sender = senders[who] as PatternSender;
      const { stream, peer } = sender;
      const deeper = (): void => {
        if (depth < 3) for (let i = roll(4); i > 0; i--) act(depth + 1);
      };
      switch (roll(40)) {
        case 0:
          return sender.send(roll(300), true);
        case 1:
          return sender.send(roll(roll(10) === 0 ? 40_000 : 300), false);
        case 2:
          return void pending.push(sender.write(roll(300)));
        case 3:
          return void pending.push(sender.file(1 + roll(3000)));
        case 4:
          return void corks.set(sender, [...(corks.get(sender) ?? []), stream.cork()]);
        case 5:
        case 13:
          return corks.get(sender)?.pop()?.[Symbol.dispose]();
        case 6:
          return stream.cork(deeper);
        case 15:
          return void pending.push(stream.cork(() => turn().then(deeper)));
        case 7:
          return peer.pause();
        case 8:
        case 14:
          return peer.resume();
        case 9:
        case 10:
          sender.onPoke = deeper;
          return void peer.send("!");
        case 11:
          sender.onPoke = deeper;
          return sender.takeOverFromItself();
        case 12:
          return roll(10) === 0 ? subscribe(SENT, observe) : stopObserving();
        default:
          return sender.copies(roll(roll(4) === 0 ? 8000 : 300), roll(130));
      }
    };

    /** Ends one in one of the ways that there are; another one is in its place before. */
    const replace = async (who: number): Promise<void> => {
      const sender = senders[who] as PatternSender;
      senders[who] = await makeSender(who, roll);
      for (const cork of corks.get(sender) ?? []) cork[Symbol.dispose]();
      corks.delete(sender);
      sender.peer.resume();
      sender.copies(100, 100);
      const fate = roll(4);
      const broken = fate < 2;
      if (fate === 0) sender.peer.abort();
      else if (fate === 1) sender.stream.abort();
      else if (fate === 2) sender.stream.end();
      await sender.stream.close().catch((error) => expect([broken, error.code]).toEqual([true, CLOSED]));
      await until(() => sender.peer.closed);
      expect([who, sender.wrong, broken ? 0 : sender.sent - sender.got]).toEqual([who, undefined, 0]);
      paged += sender.paged;
    };

    for (let step = 0; step < STEPS; step++) {
      const context = roll(8);
      if (context < 2) await turn();
      else if (context === 2) queueMicrotask(() => act(0));
      else if (context === 3) (roll(2) === 0 ? loop : otherLoop).addCallback(() => act(0));
      else act(0);
      if (roll(60) === 0) await replace(roll(SENDERS));
    }

    await turn();
    stopObserving();
    for (const cork of [...corks.values()].flat()) cork[Symbol.dispose]();
    for (const sender of senders) {
      sender.onPoke = () => {};
      sender.peer.resume();
    }
    await until(() => senders.every((sender) => sender.got === sender.sent && !sender.drainDue));
    expect(senders.map((sender) => sender.wrong)).toEqual(fds.map(() => undefined));
    if (engine === "native") expect((nativeEngine(loop) as NativeEngine).poller.page.owner).toBe(undefined);
    await Promise.all(senders.map((sender) => sender.stream.close()));
    await Promise.all(pending);
    for (const sender of senders) paged += sender.paged;
    expect(paged > 100).toBe(engine === "native");
  });
});

const SENT = "tw:iostream:sent";
const CLOSED = "ERR_TW_STREAM_CLOSED";
const LIMITS = [5000, 16 * 1024, 1024 * 1024];

async function makePair(
  engine: TestEngine,
  kind: "tcp" | "unix",
  options: StreamOptions,
): Promise<[IOStream, IOStream]> {
  if (engine === "node") {
    const { accepted, connected } = await nodePair(kind);
    return [new IOStream(accepted, { ...options, loop }), new IOStream(connected, { loop })];
  }
  const native = nativeEngine(options.loop as IOLoop) as NativeEngine;
  const { poller } = native;
  const [fd, peer] = kind === "tcp" ? tcpDescriptors(native) : (poller.socketpair() as [number, number]);
  poller.setsockopt(fd, "sendBuffer", 4096);
  poller.setsockopt(peer, "receiveBuffer", 4096);
  const far = new NativeTransport(nativeEngine(loop) as NativeEngine, peer, kind);
  return [new IOStream(new NativeTransport(native, fd, kind), options), new IOStream(far, { loop })];
}
