// Runs under Bun.
Bun.serve({
  port: Number(process.argv[2]),
  hostname: "127.0.0.1",
  fetch: () => new Response("Hello, world", { headers: { "Content-Type": "text/plain" } }),
});
console.log("ready");
