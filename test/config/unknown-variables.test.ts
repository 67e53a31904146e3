import { expect, test } from "bun:test"
import { unknownVariables } from "../../src/config/unknown-variables.ts"

test("unknownVariables names the nearest variable of a misspelt one, and no other", () => {
  const found = unknownVariables({
    SENTINEL_PROT: "9000",
    GATEKEEPER_API_TOKN: "secret",
    SENTINEL_PORT: "8003",
    SENTINEL_SERVICES_DATA: "/srv",
    SENTINEL_SERVICE_HOST: "10.0.0.1",
    GATEKEEPER_PORT_80_TCP: "tcp://10.0.0.2:80",
    HOME: "/root",
  })
  expect(found).toEqual([
    { name: "GATEKEEPER_API_TOKN", nearest: "GATEKEEPER_API_TOKEN" },
    { name: "SENTINEL_PROT", nearest: "SENTINEL_PORT" },
  ])
})
