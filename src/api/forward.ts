import { UnavailableError } from "../errors.ts"

/**
 * Passes a request on to the process that listens on a Unix socket, as it came: `Host` and
 * `Authorization` are judged there, and the body flows through within the bound of the server.
 */
export function forwardTo(socket: string): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname, search } = new URL(request.url)
    const { method, headers, body, signal } = request
    try {
      return await fetch(`http://localhost${pathname}${search}`, {
        unix: socket,
        redirect: "manual",
        ...{ method, headers, signal },
        ...(body !== null && { body }),
      })
    } catch (error) {
      throw new UnavailableError("this part of the service", error)
    }
  }
}
