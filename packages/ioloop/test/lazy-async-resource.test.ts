import {
  AsyncLocalStorage,
  AsyncResource,
  createHook,
  executionAsyncId,
  executionAsyncResource,
} from "node:async_hooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { storesOnResources, storesPossible } from "../src/context/model.js";
import { LazyAsyncResource } from "../src/index.js";

// From Node 24 on a resource keeps what it was made with, and what is entered in it ends with the call.
const kept = <T>(entered: T): T | undefined => (storesOnResources ? entered : undefined);

class Scope extends LazyAsyncResource {
  constructor() {
    super("Scope");
  }

  adopt(): void {
    this.adoptScope();
  }
}

// Everything here twice: in a process that has not used a storage before, and in one that has.
describe.each(["not in use before", "in use before"])("LazyAsyncResource, storages %s", (before) => {
  const storages: AsyncLocalStorage<string>[] = [];
  let als: AsyncLocalStorage<string>;
  const storage = () => {
    const made = new AsyncLocalStorage<string>();
    storages.push(made);
    return made;
  };
  beforeEach(() => {
    if (storesOnResources) expect(storesPossible()).toBe(false);
    if (before === "in use before") storage().run("old", () => undefined);
    als = storage();
  });
  afterEach(() => {
    for (const each of storages.splice(0)) each.disable();
  });
  const store = () => als.getStore();

  it("calls with this and arguments, returns the result, and lets an error through", () => {
    const scope = new Scope();
    const add = function (this: number[], a: number, b: number) {
      return this.concat(a, b);
    };
    expect(scope.runInAsyncScope(add, [1], 2, 3)).toEqual([1, 2, 3]);
    expect(() =>
      scope.runInAsyncScope(() => {
        als.enterWith("entered");
        throw new Error("thrown");
      }),
    ).toThrow("thrown");
    expect(store()).toBeUndefined();
    expect(scope.runInAsyncScope(store)).toBe(kept("entered"));
  });

  it("keeps what enterWith() entered in it, from the first time on, and from everybody else", () => {
    const [one, other] = [new Scope(), new Scope()];
    one.runInAsyncScope(() => als.enterWith("one"));
    expect(store()).toBeUndefined();
    expect(other.runInAsyncScope(store)).toBeUndefined();
    other.runInAsyncScope(() => als.enterWith("other"));
    expect([one, other, new Scope()].map((scope) => scope.runInAsyncScope(store))).toEqual([
      kept("one"),
      kept("other"),
      undefined,
    ]);
  });

  it("has the store it was made with, and of a storage that came later none", () => {
    const made = als.run("making", () => new Scope());
    expect(made.runInAsyncScope(store)).toBe("making");
    expect(als.run("calling", () => made.runInAsyncScope(store))).toBe("making");
    const later = storage();
    expect(later.run("later", () => made.runInAsyncScope(() => later.getStore()))).toBeUndefined();
  });

  it("adoptScope() puts the present moment in the place of that in which it was made, from the next call on", () => {
    const scope = new Scope();
    const seen = scope.runInAsyncScope(() => {
      als.enterWith("entered");
      als.run("adopted", () => scope.adopt());
      return [store(), scope.runInAsyncScope(store)];
    });
    expect(seen).toEqual(["entered", "adopted"]);
    expect([store(), scope.runInAsyncScope(store), new Scope().runInAsyncScope(store)]).toEqual([
      undefined,
      "adopted",
      undefined,
    ]);
  });

  it("made before any store was, sees none of those it is called under", () => {
    const scope = new Scope();
    expect(als.run("calling", () => scope.runInAsyncScope(store))).toBeUndefined();
    expect(scope.runInAsyncScope(store)).toBeUndefined();
  });

  it("nests: what an inner one enters is not seen by the outer one, nor by the next inner one", () => {
    const [outer, first, second] = [new Scope(), new Scope(), new Scope()];
    const seen: unknown[] = [];
    outer.runInAsyncScope(() => {
      first.runInAsyncScope(() => als.enterWith("first"));
      seen.push(store(), second.runInAsyncScope(store), new Scope().runInAsyncScope(store));
      als.enterWith("outer");
      seen.push(second.runInAsyncScope(store), first.runInAsyncScope(store), store());
    });
    expect(seen).toEqual([undefined, undefined, undefined, undefined, kept("first"), "outer"]);
    expect(outer.runInAsyncScope(store)).toBe(kept("outer"));
    expect(store()).toBeUndefined();
  });

  it("gives what it started its stores, wherever that goes on", async () => {
    const scope = new Scope();
    const seen: unknown[] = [];
    await scope.runInAsyncScope(async () => {
      als.enterWith("begun");
      await new Promise(setImmediate);
      seen.push(store());
      als.enterWith("gone on");
    });
    expect(seen).toEqual(["begun"]);
    expect(scope.runInAsyncScope(store)).toBe(kept("begun"));
  });

  it("a run() inside leaves nothing behind", () => {
    const scope = new Scope();
    scope.runInAsyncScope(() => als.run("inside", () => expect(store()).toBe("inside")));
    expect([scope.runInAsyncScope(store), store()]).toEqual([undefined, undefined]);
  });

  it("puts nothing on the resource it is called in", () => {
    const foreign = new AsyncResource("Foreign");
    foreign.runInAsyncScope(() => {
      const keys = Reflect.ownKeys(executionAsyncResource());
      new Scope().runInAsyncScope(() => als.enterWith("entered"));
      const added = Reflect.ownKeys(executionAsyncResource()).filter((key) => !keys.includes(key));
      expect(added).toEqual([]);
    });
  });
});

describe("LazyAsyncResource", () => {
  it("is a resource of its own kind for hooks, where there are any when it is made", () => {
    const kinds: string[] = [];
    const hook = createHook({ init: (_id, kind) => void kinds.push(kind) }).enable();
    const scope = new Scope();
    const id = executionAsyncId();
    expect(scope.runInAsyncScope(executionAsyncId)).not.toBe(id);
    hook.disable();
    expect(kinds).toContain("Scope");
  });
});
