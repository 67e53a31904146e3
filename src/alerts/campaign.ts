import type { Campaign } from "../alert.ts"
import type { Verdict } from "../events.ts"
import { isGenericClient } from "../ml/sessions/tool-signatures.ts"

/**
 * What makes sessions one campaign: the tool that they show; where that says little, the class of
 * the surest payload; without an attack, what the client wanted. Never a text that the client chose.
 */
export function campaignOf(verdict: Pick<Verdict, "profile" | "payload_predictions">): Campaign {
  const tool = verdict.profile.tool_signatures.find((name) => !isGenericClient(name))
  if (tool !== undefined) return { name: tool, by: "tool" }
  const attacks = verdict.payload_predictions.filter(({ class: word }) => word !== "benign")
  const surest = attacks.toSorted((one, other) => other.confidence - one.confidence)[0]
  if (surest !== undefined) return { name: surest.class, by: "attack_class" }
  return { name: verdict.profile.intent, by: "intent" }
}
