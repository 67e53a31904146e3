import { HttpError } from "./http-error.ts"
import type { Route } from "./routes/route.ts"

/**
 * Tells a path that does not exist (404) from a method that it does not have (405).
 * @returns the error, and for a 405 the value of the Allow header
 */
export function createMethodTable(routes: readonly Route[]) {
  const templates = routes.map(({ path, method }) => ({
    pattern: new RegExp(`^${path.replaceAll(".", "\\.").replace(/:\w+/g, "[^/]+")}$`),
    allow: method === "GET" ? "GET, HEAD" : method,
  }))
  return (request: Request): { error: HttpError; allow: string | undefined } => {
    const { pathname } = new URL(request.url)
    const allow = templates.find(({ pattern }) => pattern.test(pathname))?.allow
    const code = allow === undefined ? "NOT_FOUND" : "METHOD_NOT_ALLOWED"
    return { error: new HttpError(code), allow }
  }
}
