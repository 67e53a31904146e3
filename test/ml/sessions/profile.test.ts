import { describe, expect, test } from "bun:test"
import type { Session } from "../../../src/events.ts"
import { Random } from "../../../src/ml/random.ts"
import { featurize } from "../../../src/ml/sessions/featurize.ts"
import type { PopulationName } from "../../../src/ml/sessions/generate-sessions.ts"
import { POPULATIONS } from "../../../src/ml/sessions/generate-sessions.ts"
import { heuristicScorer } from "../../../src/ml/sessions/heuristic-scorer.ts"
import { profileSession } from "../../../src/ml/sessions/profile.ts"
import { SessionSketch } from "../../../src/ml/sessions/session-sketch.ts"
import { prediction } from "../../support/judged-evidence.ts"

function draw(population: PopulationName, seed = 3): Session {
  return POPULATIONS[population].draw(new Random(seed))
}

describe("profileSession", () => {
  test.each([
    ["scanner", "exploitation"],
    ["credential_stuffing", "credential_access"],
    ["enumeration", "enumeration"],
    ["crawler", "crawling"],
  ] as const)("profileSession sees what a %s wants: %s", (population, intent) => {
    for (let seed = 1; seed <= 10; seed++) {
      expect(profileSession(draw(population, seed)).intent).toBe(intent)
    }
  })

  test("profileSession names no technique and no skill for people with browsers", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const profile = profileSession(draw("browser", seed), [])
      expect(profile.sophistication_score).toBe(0)
      expect(profile.ttps.filter((id) => id !== "T1090.003")).toEqual([])
    }
  })

  test("profileSession reads attacks from the predictions, not from patterns, where given", () => {
    const session = draw("browser", 2)
    expect(profileSession(session, [prediction(0.1)]).ttps).not.toContain("T1190")
    const attacked = profileSession(session, [prediction(0.97)])
    expect(attacked).toMatchObject({ intent: "exploitation", ttps: ["T1190"] })
    expect(attacked.action_sequence).toContain("exploit:sql_injection")
  })

  test.each([
    ["sqlmap", "sqlmap/1.8"],
    ["nikto", "Mozilla/5.00 (Nikto/2.5.0)"],
    ["nmap", "Mozilla/5.0 (compatible; Nmap Scripting Engine)"],
    ["gobuster", "gobuster/3.6"],
    ["wfuzz", "Wfuzz/3.1.0"],
  ])("profileSession recognises %s by its user agent", (tool, userAgent) => {
    const sketch = new SessionSketch(new Random(1), { userAgent, headers: {} })
    const session = sketch.add({ path: "/", gapMs: 0 }).finish()
    expect(profileSession(session).tool_signatures).toContain(tool)
  })

  test("profileSession recognises sqlmap by its comparisons under a browser's name", () => {
    const sketch = new SessionSketch(new Random(1), { userAgent: "Mozilla/5.0", headers: {} })
    const query = { id: "1) AND 4821=4821 AND (7=7" }
    const session = sketch.add({ path: "/item", query, gapMs: 0 }).finish()
    const [payload] = session.payloads
    if (payload === undefined) throw new Error("the query is a payload")
    const profile = profileSession(session, [prediction(0.99, payload)])
    expect(profile.tool_signatures).toContain("sqlmap")
  })

  test("profileSession repeats nothing of a request in its summary", () => {
    const sketch = new SessionSketch(new Random(1), { userAgent: "evil\u001b", headers: {} })
    const query = { "<b>name": "<script>alert('mark')</script>" }
    const profile = profileSession(sketch.add({ path: "/mark", query, gapMs: 0 }).finish())
    expect(JSON.stringify(profile)).not.toMatch(/mark|evil|<|\\u001b/)
  })

  test("profileSession keeps within its bounds for any population and for an empty session", () => {
    for (const population of Object.keys(POPULATIONS) as PopulationName[]) {
      const profile = profileSession(draw(population, 8))
      expect(profile.action_sequence.length).toBeLessThanOrEqual(50)
      expect(profile.sophistication_score).toBeGreaterThanOrEqual(0)
      expect(profile.sophistication_score).toBeLessThanOrEqual(10)
    }
    const empty = { ...draw("browser"), requests: [], payloads: [] }
    expect(profileSession(empty)).toMatchObject({ intent: "unknown", action_count: 0 })
  })
})

describe("heuristicScorer", () => {
  test("heuristicScorer stays low for people with browsers and high for scanners", () => {
    const scorer = heuristicScorer()
    for (let seed = 1; seed <= 20; seed++) {
      expect(scorer.score(featurize(draw("browser", seed))).score).toBeLessThan(0.5)
      expect(scorer.score(featurize(draw("scanner", seed))).score).toBeGreaterThan(0.5)
    }
    expect(scorer.score({})).toEqual({ score: 0, method: "heuristic", model: "session-heuristic" })
  })
})
