import { Elysia, t } from "elysia"
import { CONSTANT_ANSWER } from "./constant-answer.ts"

/** The least that the framework costs: it checks the body and answers a constant. */
new Elysia()
  .post("*", () => CONSTANT_ANSWER, { body: t.Object({ payload: t.Optional(t.String()) }) })
  .listen({ hostname: "127.0.0.1", port: Number(process.argv[2]) })
