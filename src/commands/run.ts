/** A command that was chosen; resolves with its exit code. */
export type Run = () => Promise<number>
