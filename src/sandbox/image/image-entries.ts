import { dirname } from "node:path"
import { INIT_PATH, SANDBOX_UID, TWIN_PATH } from "../docker-hardening.ts"
import type { ImageContents, ImageEntry, ImageFile } from "./image-entry.ts"

/** Executable by all and readable by nobody: see `twinCommand`. */
export const EXECUTE_ONLY = 0o111

const SYSTEM_FILES: readonly ImageFile[] = [
  {
    path: "/etc/passwd",
    mode: 0o644,
    content: `root:x:0:0:root:/:/sbin/nologin\ntwin:x:${SANDBOX_UID}:${SANDBOX_UID}:twin:/tmp:/sbin/nologin\n`,
  },
  { path: "/etc/group", mode: 0o644, content: `root:x:0:\ntwin:x:${SANDBOX_UID}:\n` },
  { path: "/etc/nsswitch.conf", mode: 0o644, content: "passwd: files\ngroup: files\n" },
]
/** Where the drivers mount something, with the mode of the directory below. */
const MOUNT_POINTS: Readonly<Record<string, number>> = {
  "/dev": 0o755,
  "/proc": 0o755,
  "/sys": 0o755,
  // a file system mounted there takes the mode of the directory, whatever its options say
  "/tmp": 0o1777,
}

/**
 * The whole image, parents before children and sorted, so that the same contents make the same
 * bytes on every run.
 *
 * @param twin the compiled program
 * @param libraries files of this machine by their path in the image
 */
export function imageEntries(
  contents: Pick<ImageContents, "files" | "init" | "programs">,
  { twin, libraries }: { twin: string; libraries: ReadonlyMap<string, string> },
): readonly ImageEntry[] {
  const program = (path: string, file: string, mode: number): ImageEntry => {
    return { kind: "file", path, mode, source: { file } }
  }
  const files = [
    ...[...SYSTEM_FILES, ...contents.files].map(({ path, mode, content }): ImageEntry => {
      return { kind: "file", path, mode, source: { content } }
    }),
    ...Object.entries(contents.programs).map(([path, file]) => program(path, file, 0o755)),
    ...[...libraries].map(([path, file]) => program(path, file, 0o755)),
    program(TWIN_PATH, twin, EXECUTE_ONLY),
    program(INIT_PATH, contents.init, EXECUTE_ONLY),
  ]
  return [...directoriesOf(files), ...files].sort((one, other) => (one.path < other.path ? -1 : 1))
}

function directoriesOf(files: readonly ImageEntry[]): readonly ImageEntry[] {
  const paths = new Set(Object.keys(MOUNT_POINTS))
  for (const { path } of files) {
    for (let parent = dirname(path); parent !== "/"; parent = dirname(parent)) paths.add(parent)
  }
  return [...paths].map((path) => {
    return { kind: "directory", path, mode: MOUNT_POINTS[path] ?? 0o755 }
  })
}
