// Runs under Deno.
Deno.serve(
  { port: Number(Deno.args[0]), hostname: "127.0.0.1", onListen: () => console.log("ready") },
  () => {
    return new Response("Hello, world", { headers: { "Content-Type": "text/plain" } });
  },
);
