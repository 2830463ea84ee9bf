// Fetches a page and prints its size, after Tornado's classic client example:  node dist/main.js http://localhost:8888/

import { AsyncHTTPClient } from "@tw/tornado";
import { explain } from "./explain.js";

async function main(url: string | undefined): Promise<number> {
  if (url === undefined) {
    console.error("usage: fetch <url>");
    return 2;
  }
  const client = new AsyncHTTPClient();
  try {
    const response = await client.fetch(url);
    console.log(`${response.code} ${response.reason}: ${response.body.length} bytes`);
    return 0;
  } catch (error) {
    console.error(`Cannot fetch ${url}: ${explain(error)}`);
    return 1;
  } finally {
    await client.close();
  }
}

main(process.argv[2]).then((code) => {
  process.exitCode = code;
});
