// Fetches a page by hand and prints each step:  node dist/main.js [http://127.0.0.1:8888/]

import { IOLoop } from "@tw/ioloop";
import { servePage } from "./page-server.js";
import { selectorGet } from "./selector-get.js";
import { targetOf } from "./target.js";

async function main(given: string | undefined): Promise<void> {
  const loop = IOLoop.current();
  const server = given === undefined ? await servePage(loop) : undefined;
  const target = targetOf(given ?? `http://127.0.0.1:${server?.port}/`);
  let steps = 0;
  const say = (step: string): void => console.log(`${String(++steps).padStart(2)}. ${step}`);
  try {
    const getting = selectorGet(loop, target, say);
    say("the loop is free meanwhile: this line is printed before anything has arrived");
    const answer = new TextDecoder().decode(await getting);
    console.log(`\n${answer}`);
  } finally {
    await server?.close();
  }
}

main(process.argv[2]).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
