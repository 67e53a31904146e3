/** One member of the image; `path` is absolute inside it. All belong to root. */
export type ImageEntry =
  | { readonly kind: "directory"; readonly path: string; readonly mode: number }
  | {
      readonly kind: "file"
      readonly path: string
      /** e.g. 0o755; 0o111 = may be executed but not read. */
      readonly mode: number
      /** A file of this machine, or the text itself. */
      readonly source: { readonly file: string } | { readonly content: string }
    }

/** A small text that the image holds, as the twins name it. */
export interface ImageFile {
  readonly path: string
  readonly mode: number
  readonly content: string
}

/** What goes into the image beside the system's own files. */
export interface ImageContents {
  /** Source of the program inside, which is compiled. */
  readonly twinSource: string
  /** Whatever the compiled program depends on: files and folders whose change makes another image. */
  readonly sources: readonly string[]
  readonly files: readonly ImageFile[]
  /** The shell of this machine that is copied as PID 1: see `twinCommand`. */
  readonly init: string
  /** Programs of this machine by their path in the image; their shared libraries come with them. */
  readonly programs: Readonly<Record<string, string>>
}
