import { withDeadline } from "../clock.ts"
import { UnavailableError } from "../errors.ts"

/** @throws UnavailableError after `ms` */
export function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return withDeadline(ms, work, () => {
    throw new UnavailableError("the service")
  })
}
