import { CONSTANT_ANSWER } from "./constant-answer.ts"

/** The least that a JSON endpoint costs on this runtime: it parses the body and answers a constant. */
Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  async fetch(request) {
    await request.json()
    return Response.json(CONSTANT_ANSWER)
  },
})
