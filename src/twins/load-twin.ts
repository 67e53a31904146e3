import type { SimulatedClass, Twin } from "../twin-protocol.ts"

/** Loaded when asked for: the child of one class pays for no other. */
const LOADERS: Readonly<Record<SimulatedClass, () => Promise<Twin>>> = {
  sql_injection: async () => (await import("./sql/sql-twin.ts")).sqlTwin,
  path_traversal: async () => (await import("./path/path-twin.ts")).pathTwin,
  command_injection: async () => (await import("./shell/shell-twin.ts")).shellTwin,
  xss: async () => (await import("./dom/dom-twin.ts")).domTwin,
}

export function loadTwin(twinClass: SimulatedClass): Promise<Twin> {
  return LOADERS[twinClass]()
}
