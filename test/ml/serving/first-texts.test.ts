import { describe, expect, test } from "bun:test"
import { join } from "node:path"
import { loadPayloadClassifier } from "../../../src/ml/serving/load-payload-classifier.ts"

/**
 * What a stranger types first. A smoke test and no evaluation: a few dozen texts of our own, most of
 * which the model may have learnt from in this or a similar form.
 */
const SHIPPED = join(import.meta.dir, "../../../models/payload-linear/1.4.0")

const ORDINARY = [
  "a",
  "x",
  "42",
  "hello",
  "Hello, world!",
  "test",
  "admin",
  "O'Brien",
  "O'Neill & Sons",
  "Anne-Marie d'Arc",
  "user=x&password=x",
  "username=anna&password=secret",
  "q=shoes&page=2",
  "name=John+Smith&age=42",
  "anna.smith@example.com",
  "https://www.example.com/products?id=42&sort=price",
  "http://localhost:3000/api/users/7",
  "/static/css/main.css",
  "index.html",
  "../images/logo.png",
  '{"name":"Anna","age":42,"tags":["a","b"]}',
  "[1,2,3]",
  "2026-11-24T18:00:00Z",
  "+49 170 1234567",
  "550e8400-e29b-41d4-a716-446655440000",
  "C:\\Users\\Anna\\Documents\\report.docx",
  "The SELECT statement is used to select data from a database.",
  "Use UNION to combine the result sets of two or more SELECT statements.",
  "How do I escape a quote in SQL?",
  "Rock & roll; it's only a song",
  "1 + 1 = 2",
  "I <3 you",
  "Please drop the table off at the office",
  "Tom & Jerry",
  "What does the cat command do?",
  "Run npm install and then npm test.",
  "Größe: 38, Farbe: grün",
  "你好，世界",
  "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
  "session=abc123; theme=dark",
  "<b>bold</b> and <i>italic</i>",
  "50% off everything!",
] as const

const ATTACKS = [
  ["' OR 1=1 --", "sql_injection"],
  ["' or '1'='1", "sql_injection"],
  ["admin'--", "sql_injection"],
  ["1; DROP TABLE users--", "sql_injection"],
  ["1 UNION SELECT username, password FROM users", "sql_injection"],
  ["1' AND SLEEP(5)#", "sql_injection"],
  ["<script>alert(1)</script>", "xss"],
  ['"><img src=x onerror=alert(1)>', "xss"],
  ["<svg onload=alert(1)>", "xss"],
  ["javascript:alert(document.cookie)", "xss"],
  ["; cat /etc/passwd", "command_injection"],
  ["| whoami", "command_injection"],
  ["$(id)", "command_injection"],
  ["`id`", "command_injection"],
  ["127.0.0.1 && ls -la", "command_injection"],
  ["../../../../etc/passwd", "path_traversal"],
  ["..\\..\\..\\windows\\win.ini", "path_traversal"],
  ["%2e%2e%2f%2e%2e%2fetc%2fpasswd", "path_traversal"],
] as const

describe("LinearPayloadClassifier, as it is shipped", () => {
  const classifier = loadPayloadClassifier(SHIPPED)

  test.each(ORDINARY)("takes %p for ordinary, and is fairly sure", async (text) => {
    const { probabilities } = (await classifier).classify({ text })
    expect(probabilities.benign).toBeGreaterThan(0.75)
  })

  test.each(ATTACKS)("finds %p to be %s", async (text, expected) => {
    expect((await classifier).classify({ text }).class).toBe(expected)
  })
})
