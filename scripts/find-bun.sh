# Sourced by ./sentinel and .ci/run. Sets `bun` to a bun of the version in .tool-versions:
# from PATH, from ~/.bun, or from .tools/ in the repository, where npm puts it when there is none.
# Needs `root`, the repository. npm runs no install script, so the binary is taken from the
# platform package (@oven/...) that npm chose, not from the `bun` package's placeholder.

find_bun() {
  bun_version=$(sed -n 's/^bun //p' "$root/.tool-versions")
  for bun in bun "$HOME/.bun/bin/bun" "$root/.tools/node_modules/@oven/"*/bin/bun; do
    is_pinned_bun && return
  done
  install_bun
}

is_pinned_bun() {
  [ "$("$bun" --version 2>/dev/null)" = "$bun_version" ]
}

install_bun() {
  command -v npm >/dev/null 2>&1 || setup_failed \
    "bun $bun_version is needed and neither it nor npm is on PATH. Install Node.js (with npm), or bun $bun_version."
  echo "sentinel: installing bun $bun_version with npm into .tools/ (once)" >&2
  npm install --prefix "$root/.tools" --no-save --no-audit --no-fund --no-update-notifier --ignore-scripts \
    "bun@$bun_version" >&2 || setup_failed "npm could not install bun $bun_version."
  for bun in "$root/.tools/node_modules/@oven/"*/bin/bun; do
    is_pinned_bun && return
  done
  setup_failed "npm installed bun $bun_version, but none of its builds runs on this machine ($(uname -sm))."
}

# Installs the frozen lockfile unless node_modules already holds exactly that.
install_dependencies() {
  stamp=$root/node_modules/.sentinel-lockfile
  dependency_state | cmp -s - "$stamp" 2>/dev/null && return
  echo "sentinel: installing the dependencies of bun.lock" >&2
  (cd "$root" && "$bun" install --frozen-lockfile --ignore-scripts >&2) ||
    setup_failed "bun could not install the dependencies of bun.lock."
  dependency_state >"$stamp"
}

dependency_state() {
  cat "$root/bun.lock" "$root/patches/"*.patch 2>/dev/null || true
}

setup_failed() {
  echo "sentinel: $1" >&2
  exit 1
}
