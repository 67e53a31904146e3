import { describe, expect, test } from "bun:test"
import { otherAttack } from "../../../src/ml/generators/other-attack.ts"
import { Random } from "../../../src/ml/random.ts"

describe("otherAttack", () => {
  test("writes every kind it names", () => {
    const random = new Random(11)
    const texts = Array.from({ length: 6_000 }, () => otherAttack(random))
    for (const mark of [
      /169\.254\.169\.254/,
      /\{\{.{1,40}\}\}/,
      /<!ENTITY/,
      /\)\(/,
      /\$(?:ne|gt|regex|where)/,
      /%0d%0a/i,
      /\$\{jndi:/,
      /gopher:\/\//,
      /=h?f?ttp?s?:\/\/\S{1,60}\?/i,
      /__proto__/,
      /O:\+?\d+:"/,
      /!!(?:python|javax)/,
      /count\(|text\(\)/,
      /Transfer-Encoding/,
    ]) {
      expect(texts.filter((text) => mark.test(text)).length).toBeGreaterThan(20)
    }
  })

  test("never writes an ordinary address of a developer's machine", () => {
    const random = new Random(12)
    for (let i = 0; i < 3_000; i++) {
      expect(otherAttack(random)).not.toMatch(
        /^https?:\/\/(?:localhost|127\.0\.0\.1)(?::(?:80|3000|8080))?\/?$/,
      )
    }
  })
})
