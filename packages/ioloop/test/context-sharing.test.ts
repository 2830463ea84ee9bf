import { AsyncLocalStorage, AsyncResource, executionAsyncResource } from "node:async_hooks";
import { dice } from "@tw/tooling-testing/dice";
import { describe, expect, it } from "vitest";
import { IOLoop } from "../src/index.js";
import { virtualLoop } from "../src/testing.js";

const turn = (loop: IOLoop) => new Promise<void>((resolve) => loop.callLater(1, resolve));

describe("callbacks that may share a context", () => {
  it("see each their own where one is entered within another", async () => {
    const { loop, host } = virtualLoop();
    const storage = new AsyncLocalStorage<string>();
    storage.run("in use", () => undefined);
    const seen: unknown[] = [];
    loop.onStop(() => {
      seen.push(storage.getStore());
      storage.enterWith("the hook's");
    });
    const ending = loop.start();
    loop.addCallback(() => {
      storage.enterWith("the callback's");
      host.signal("SIGTERM");
      seen.push(storage.getStore());
      loop.addCallback(() => seen.push(storage.getStore()));
    });
    loop.addCallback(() => seen.push(storage.getStore()));
    await host.advance(10);
    await ending;
    expect(seen).toEqual([undefined, "the callback's", undefined, "the callback's"]);
  });

  it("see the store of a storage that is entered for the first time in the middle of a burst", async () => {
    const loop = new IOLoop();
    const old = new AsyncLocalStorage<string>();
    old.run("in use", () => undefined);
    const fresh = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const see = () => seen.push(fresh.getStore());
    for (let i = 0; i < 10; i++) loop.addCallback(see);
    fresh.run("fresh", () => loop.addCallback(see));
    for (let i = 0; i < 3; i++) loop.addCallback(see);
    fresh.run("again", () => loop.callLater(0, see));
    await turn(loop);
    await turn(loop);
    const outside = new Array(13).fill(undefined);
    expect(seen).toEqual([...outside.slice(0, 10), "fresh", ...outside.slice(10), "again"]);
  });

  it("see what enterWith() changed between two of them", async () => {
    const loop = new IOLoop();
    const als = new AsyncLocalStorage<number>();
    const seen: unknown[] = [];
    new AsyncResource("Foreign").runInAsyncScope(() => {
      for (let i = 0; i < 40; i++) {
        if (i % 8 === 5) als.enterWith(i);
        loop.addCallback(() => seen.push(als.getStore()));
      }
    });
    await turn(loop);
    expect(seen).toEqual(Array.from({ length: 40 }, (_, i) => (i < 5 ? undefined : i - ((i - 5) % 8))));
  });

  it("do not see what one of them enters, nor do those that it adds before it enters", async () => {
    const loop = new IOLoop();
    const als = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const see = (name: string) => seen.push([name, als.getStore()]);
    als.run("all", () => {
      for (let i = 0; i < 6; i++) loop.addCallback(see, "before");
      loop.addCallback(() => {
        loop.addCallback(see, "added before");
        als.enterWith("mine");
        loop.addCallback(see, "added after");
        als.run("nested", () => loop.addCallback(see, "nested"));
        see("own");
      });
      loop.addCallback(see, "neighbour");
    });
    await turn(loop);
    await turn(loop);
    expect(seen.slice(6)).toEqual([
      ["own", "mine"],
      ["neighbour", "all"],
      ["added before", "all"],
      ["added after", "mine"],
      ["nested", "nested"],
    ]);
  });

  it("keep what they entered in their own continuations", async () => {
    const loop = new IOLoop();
    const als = new AsyncLocalStorage<number>();
    const seen: unknown[] = [];
    for (let i = 0; i < 8; i++) {
      loop.addCallback(async () => {
        if (i % 2 === 0) als.enterWith(i);
        await Promise.resolve();
        seen.push(als.getStore());
      });
    }
    await turn(loop);
    expect(seen).toEqual([0, undefined, 2, undefined, 4, undefined, 6, undefined]);
  });

  it("do not keep alive the resource that they came from", async () => {
    const loop = new IOLoop();
    const als = new AsyncLocalStorage<object>();
    als.run({}, () => undefined);
    let resource: AsyncResource | undefined = new AsyncResource("Request");
    const gone = new WeakRef(resource);
    resource.runInAsyncScope(() => {
      expect(executionAsyncResource()).toBe(resource);
      for (let i = 0; i < 8; i++) loop.addCallback(() => undefined);
    });
    resource = undefined;
    const { setFlagsFromString } = await import("node:v8");
    const { runInNewContext } = await import("node:vm");
    setFlagsFromString("--expose-gc");
    const gc: () => void = runInNewContext("gc");
    for (let i = 0; i < 50 && gone.deref() !== undefined; i++) {
      await turn(loop);
      gc();
    }
    expect(gone.deref()).toBeUndefined();
  });

  it.each([1, 2, 3, 4, 5, 6])(
    "each see exactly the stores of where they were added, in any program (seed %i)",
    async (seed) => {
      const loop = new IOLoop();
      const random = dice(seed);
      const storages: AsyncLocalStorage<number>[] = [new AsyncLocalStorage()];
      const foreign = [new AsyncResource("A"), new AsyncResource("B")];
      let left = 6000;
      let wrong = 0;
      let checked = 0;
      const stores = () => storages.map((als) => als.getStore());
      const store = () => {
        const count = storages.length;
        const expected = stores();
        const check = () => {
          checked++;
          if (expected.some((value, i) => value !== storages[i]?.getStore())) wrong++;
          // A storage that did not exist then is entered by nobody whom this one descends from.
          if (
            stores()
              .slice(count)
              .some((value) => value !== undefined)
          )
            wrong++;
        };
        const later = () => {
          check();
          act(1 + random(4));
          return random(4) === 0 ? Promise.resolve().then(() => act(1)) : undefined;
        };
        const where = random(8);
        if (where === 0) loop.callLater(random(2), later);
        else if (where === 1) loop.afterPoll(later);
        else if (where === 2) loop.addCallback((_: number) => later(), 1);
        else for (let i = random(9); i >= 0; i--) loop.addCallback(i === 0 ? later : check);
      };
      const act = (times: number) => {
        for (let i = 0; i < times && left > 0; i++) {
          left--;
          const als = storages[random(storages.length)] as AsyncLocalStorage<number>;
          const what = random(12);
          if (what === 0) als.enterWith(left);
          else if (what === 1) als.run(left, () => act(random(4)));
          else if (what === 2) als.exit(() => act(random(4)));
          else if (what === 3) (foreign[random(2)] as AsyncResource).runInAsyncScope(() => act(random(6)));
          else if (what === 4 && storages.length < 6 && random(40) === 0) {
            storages.push(new AsyncLocalStorage());
            (storages.at(-1) as AsyncLocalStorage<number>).run(left, store);
          } else store();
        }
      };
      while (left > 0) {
        new AsyncResource("Root").runInAsyncScope(() => act(20));
        await turn(loop);
      }
      for (let i = 0; i < 5; i++) await turn(loop);
      for (const als of storages) als.disable();
      expect(wrong).toBe(0);
      expect(checked).toBeGreaterThan(6000);
    },
  );
});
