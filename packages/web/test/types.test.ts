// What the compiler refuses, and what it lets through. Nothing here runs but the last line.

import { Application, type HandlerContext, RequestHandler, route, type Settings } from "@tw/web";
import { expectTypeOf, test } from "vitest";

interface AppSettings extends Settings {
  readonly db: { story(id: string): Promise<string> };
}

class Main extends RequestHandler {
  get(): string {
    return "x";
  }
}

class Story extends RequestHandler<"/story/:id", AppSettings> {
  async get(): Promise<string> {
    return await this.settings.db.story(this.params.id);
  }
  async put(id: string): Promise<Response> {
    return Response.json({ id });
  }
}

/** Waits for whatever ends first: a client that goes away, a server that drains. */
class Waiting extends RequestHandler {
  get(): boolean {
    const { draining } = this.request.connection.context;
    expectTypeOf(draining).toExtend<AbortSignal | undefined>();
    expectTypeOf<AbortSignal>().toExtend<NonNullable<typeof draining>>();
    return AbortSignal.any(draining === undefined ? [this.signal] : [this.signal, draining]).aborted;
  }
}

class TwoArgs extends RequestHandler {
  get(a: string, b: string): string {
    return a + b;
  }
}

class Rooted extends RequestHandler<"/static/*path"> {
  initialize(options: { root: string }): void {
    void options;
  }
  get(): string {
    return this.params.path;
  }
}

class Optional extends RequestHandler<"/o/:id/:page?"> {
  initialize(_options?: { deep: boolean }): void {}
  get(id: string, page?: string): string {
    expectTypeOf(this.params).toEqualTypeOf<{ readonly id: string; readonly page?: string }>();
    expectTypeOf(this.pathArgs).toEqualTypeOf<[string, string?]>();
    return id + page;
  }
}

class Bad extends RequestHandler {
  get(): symbol {
    return Symbol("x");
  }
}

const db: AppSettings["db"] = { story: async (id) => id };

function compiles(): void {
  route("/", Main);
  route("/any/:thing", Main);
  route("/any/:thing?", Main);
  route(/\/re\/(.*)/, Main);
  route("/story/:id", Story);
  route("/story/:id{[0-9]+}", Story);
  route("/:a/:b", TwoArgs);
  route("/static/*path", Rooted, { root: "./public" });
  route("/o/:id/:page?", Optional);
  route("/o/:id/:page?", Optional, { deep: true });
  route("/o/:id/:page", Optional);
  route("/fn/:name/:more?", (request, params) => {
    expectTypeOf(request.method).toBeString();
    expectTypeOf(params).toEqualTypeOf<{ readonly name: string; readonly more?: string }>();
    return params.name;
  });

  // @ts-expect-error the class reads `id`, the pattern has `slug`
  route("/story/:slug", Story);
  // @ts-expect-error the class may be without `page`, but needs `id`
  route("/o/:page?", Optional);
  // @ts-expect-error get() needs two arguments, the pattern gives one
  route("/:a", TwoArgs);
  // @ts-expect-error the second argument may be missing
  route("/:a/:b?", TwoArgs);
  // @ts-expect-error initialize() needs options
  route("/static/*path", Rooted);
  // @ts-expect-error of this shape
  route("/static/*path", Rooted, { root: 5 });
  // @ts-expect-error Main takes none
  route("/", Main, { root: "x" });
  // @ts-expect-error a symbol has no form as a body
  route("/", Bad);
  // @ts-expect-error nor has a number
  route("/", () => 5);
  // @ts-expect-error not a handler
  route("/", class Other {});
}

function settings(): void {
  const inferred = new Application([route("/", Main), route("/story/:id", Story), route("/f", () => "x")], {
    db,
  });
  expectTypeOf(inferred.settings).toEqualTypeOf<AppSettings>();
  new Application<AppSettings>([["/story/:id", Story]], { db, accessLog: true });
  new Application(
    [
      ["/story/:id", Story],
      ["/", Main],
      ["/waiting", Waiting],
    ],
    { db },
  );
  new Application([
    ["/", Main],
    [/\/re/, Main],
    ["/static/*path", Rooted, { root: "x" }],
    route("/f", () => "x"),
  ]);
  new Application([]);
  new Application([route("/", Main)], { serveTraceback: true });

  // @ts-expect-error a handler needs `db`
  new Application([route("/", Main), route("/story/:id", Story)]);
  // @ts-expect-error a handler in a tuple needs `db`
  new Application([["/story/:id", Story]]);
  // @ts-expect-error that is no database
  new Application([route("/story/:id", Story)], { db: 5 });
  // @ts-expect-error a handler that needs `db` does not fit an application without
  new Application<Settings>([route("/story/:id", Story)]);
  // @ts-expect-error a setting of the wrong type
  new Application([route("/", Main)], { accessLog: "some" });
}

class Constructed extends RequestHandler<"/c", AppSettings> {
  readonly made: string;
  constructor(context: HandlerContext<AppSettings>) {
    super(context);
    this.made = this.request.uri;
    expectTypeOf(this.settings).toEqualTypeOf<AppSettings>();
    expectTypeOf(this.application).toEqualTypeOf<Application<AppSettings>>();
    expectTypeOf(this.params).toEqualTypeOf<Record<never, never>>();
  }
}

test("the table is checked by the compiler", () => {
  expectTypeOf(compiles).toBeFunction();
  expectTypeOf(settings).toBeFunction();
  expectTypeOf(Constructed).toBeConstructibleWith({} as HandlerContext<AppSettings>);
});
