import type { Route } from "./routes/route.ts"
import { errorAnswer, type Schema } from "./schemas.ts"

const ERRORS_OF_BODY = { 400: "Malformed JSON or UTF-8", 413: "Too large", 415: "Media type" }
const ERRORS = { 403: "Foreign host or origin", 422: "Wrong field", 503: "Not available" }

/** The OpenAPI operation of a route, from the schemas that check it. */
export function describeRoute(route: Route) {
  const errors = (descriptions: Readonly<Record<number, string>>) =>
    describeErrors(descriptions, route.errors ?? errorAnswer)
  return {
    summary: route.summary,
    ...(route.query && { parameters: route.query.map(describeParameter) }),
    ...(route.body && { requestBody: { required: true, content: json(route.body) } }),
    ...((route.changes || route.isPrivate) && { security: [{ token: [] }] }),
    responses: {
      [route.status ?? 200]: { description: "Success", content: describeAnswer(route.answer) },
      ...errors(ERRORS),
      ...(route.changes && errors({ 409: "Not in the present state" })),
      ...(route.path.includes(":") && errors({ 404: "No such thing" })),
      ...(route.body && errors(ERRORS_OF_BODY)),
      ...((route.changes || route.isPrivate) && errors({ 401: "Token missing or wrong" })),
    },
  }
}

function describeParameter(parameter: { name: string; description: string }) {
  const schema = { type: "string" } as const
  return { ...parameter, in: "query", required: false, schema } as const
}

function describeAnswer(answer: Schema | "text") {
  return answer === "text" ? { "text/plain": { schema: { type: "string" } } } : json(answer)
}

function describeErrors(errors: Readonly<Record<number, string>>, schema: Schema) {
  return Object.fromEntries(
    Object.entries(errors).map(([status, description]) => [
      status,
      { description, content: json(schema) },
    ]),
  )
}

function json(schema: Schema) {
  return { "application/json": { schema } }
}
