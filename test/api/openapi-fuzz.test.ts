import { expect, test } from "bun:test"
import fc from "fast-check"
import { start } from "../support/api-client.ts"

/** The document is held against the API: every endpoint, with bodies that nearly fit its schema. */

interface Operation {
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, unknown>>
}
type Content = Readonly<Record<string, { readonly schema: Schema }>>

interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
}

const RUNS = 15
const anything = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<unknown>

/** A value of the schema; now and then something else at any place of it. */
function nearly(schema: Schema | undefined): fc.Arbitrary<unknown> {
  if (schema === undefined) return anything
  return fc.oneof({ weight: 8, arbitrary: exactly(schema) }, { weight: 1, arbitrary: anything })
}

function exactly(schema: Schema): fc.Arbitrary<unknown> {
  const { type, properties, items, anyOf, const: constant, enum: words } = schema
  if (anyOf !== undefined) return fc.oneof(...anyOf.map(nearly))
  if (constant !== undefined) return fc.constant(constant)
  if (words !== undefined) return fc.constantFrom(...words)
  switch (type) {
    case "object":
      return fc.record(
        Object.fromEntries(Object.entries(properties ?? {}).map(([key, of]) => [key, nearly(of)])),
        { requiredKeys: [] },
      )
    case "array":
      return fc.array(nearly(items), { maxLength: 3 })
    case "string":
      return fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("payload-test/1", "param"))
    case "integer":
      return fc.integer()
    case "number":
      return fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: 0, max: 100 }))
    case "boolean":
      return fc.boolean()
    default:
      return anything
  }
}

const { paths } = (await start().send("/openapi.json")).json as {
  paths: Record<string, Record<string, Operation>>
}
const operations = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

test.each(operations)("createApi answers $method $path as its document says", async (one) => {
  const { path, method, operation } = one
  const schema = operation.requestBody?.content["application/json"]?.schema
  await fc.assert(
    fc.asyncProperty(
      schema === undefined ? fc.constant(undefined) : nearly(schema),
      fc.constantFrom("payload-test", "1", "%00", "..%2f", "x".repeat(300)),
      async (value, parameter) => {
        const url = path.replace(/\{\w+\}/g, parameter)
        const body = value === undefined ? {} : { body: JSON.stringify(value) }
        const answer = await start().send(url, { method: method.toUpperCase(), ...body })
        const described = operation.responses[answer.status]
        expect(`${answer.status}: ${described === undefined ? answer.text : "described"}`).toBe(
          `${answer.status}: described`,
        )
      },
    ),
    { numRuns: schema === undefined ? 5 : RUNS },
  )
})
