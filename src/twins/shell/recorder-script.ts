/** Where the image holds the two real shells: not in PATH, where only canaries are. */
export const SHELL_PATHS = {
  dash: "/opt/canary/shells/dash",
  bash: "/opt/canary/shells/bash",
} as const
export type ShellName = keyof typeof SHELL_PATHS

/** Variables and descriptor by which a canary command finds out where and how to record. */
export const RECORDER = {
  nonceVariable: "CANARY_NONCE",
  /** A folder that stands for `/` where a canary reads a file by its absolute path. */
  rootVariable: "CANARY_ROOT",
  descriptor: 8,
  /** Names, a line for each command that ran: a program can do nothing to its place. */
  tally: "/tmp/.commands",
  recordStart: "\x1e",
  fieldStart: "\x1f",
} as const

/**
 * The script behind every canary command: it writes one record (nonce, name, kind of standard
 * input, arguments), then does as much of the real command as a pipeline needs to go on.
 *
 * A record is `RS nonce US name US input (US argument)*`, `input` being `file`, `pipe` or `none`.
 */
export const RECORDER_SCRIPT = `#!${SHELL_PATHS.dash}
set -f
name=\${0##*/}
input=none
[ -f /dev/stdin ] && input=file
[ -p /dev/stdin ] && input=pipe
record="${RECORDER.recordStart}$${RECORDER.nonceVariable}${RECORDER.fieldStart}$name${RECORDER.fieldStart}$input"
for argument do record="$record${RECORDER.fieldStart}$argument"; done
{ printf '%s' "$record" >&${RECORDER.descriptor}; } 2>/dev/null
{ printf '%s\\n' "$name" >>${RECORDER.tally}; } 2>/dev/null

# Files named as arguments, else standard input; 1 where a file is missing.
show() {
  status=0 shown=
  for argument do
    case $argument in -* | +*) continue ;; esac
    case $argument in /*) [ -f "$${RECORDER.rootVariable}$argument" ] && argument=$${RECORDER.rootVariable}$argument ;; esac
    if [ -f "$argument" ]; then copy < "$argument"; shown=yes; else status=1; fi
  done
  [ -z "$shown" ] && [ "$input" != none ] && copy
  return $status
}
copy() {
  while IFS= read -r line || [ -n "$line" ]; do printf '%s\\n' "$line"; done
}
# What stands behind the options, assignments and numbers of a wrapper such as env or timeout.
run() {
  while [ $# -gt 0 ]; do
    case $1 in -* | *=* | [0-9]*) shift ;; *) exec "$@" ;; esac
  done
}
# find: -exec COMMAND ; or +
run_actions() {
  while [ $# -gt 0 ]; do
    case $1 in -exec | -execdir | -ok | -okdir) shift; run_until_end "$@" ;; esac
    shift
  done
}
run_until_end() {
  command=
  while [ $# -gt 0 ]; do
    case $1 in ';' | +) break ;; '{}') command="$command ." ;; *) command="$command '$1'" ;; esac
    shift
  done
  eval "$command"
}
# Fails where the last argument is an option that wants one: what stands behind || runs then.
lacks_operand() {
  for argument do :; done
  case $argument in -*) exit 2 ;; esac
}
# tar: options that name a program
run_options() {
  program=
  for argument do
    [ "$program" = next ] && program=$argument
    case $argument in
      --checkpoint-action=exec=*) program=\${argument#*exec=} ;;
      --to-command=* | --use-compress-program=* | --info-script=* | --rsh-command=*) program=\${argument#*=} ;;
      -I | -F) program=next ;;
    esac
  done
  [ -z "$program" ] || eval "$program"
}
decode_base64() {
  digits=ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/
  bits=0 count=0
  while [ -n "$text" ]; do
    rest=\${text#?} digit=\${text%"$rest"} text=$rest
    before=\${digits%%"$digit"*}
    [ "$before" = "$digits" ] && continue
    bits=$(((bits << 6 | \${#before}) & 0xffff)) count=$((count + 6))
    [ $count -ge 8 ] || continue
    count=$((count - 8)) byte=$((bits >> count & 255))
    printf "\\\\$((byte >> 6))$((byte >> 3 & 7))$((byte & 7))"
  done
}
decode_hex() {
  while [ \${#text} -ge 2 ]; do
    rest=\${text#??} byte=0x\${text%"$rest"} text=$rest
    case $byte in *[!0-9a-fx]*) continue ;; esac
    printf "\\\\$((byte >> 6))$((byte >> 3 & 7))$((byte & 7))"
  done
}
reverse() {
  reversed=
  while [ -n "$text" ]; do
    rest=\${text#?} reversed=\${text%"$rest"}$reversed text=$rest
  done
  printf '%s\\n' "$reversed"
}

case $name in
  sh | ash | dash | ksh | zsh | csh) exec ${SHELL_PATHS.dash} "$@" ;;
  bash | rbash) exec ${SHELL_PATHS.bash} "$@" ;;
  env | nohup | nice | time | timeout | setsid | sudo | doas | busybox | stdbuf | watch | strace) run "$@" ;;
  xargs) run "$@" $(show) ;;
  find) run_actions "$@"; lacks_operand "$@" ;;
  tar) run_options "$@" ;;
  ping) lacks_operand "$@" ;;
  base64) case "$*" in *-d* | *-D*) shift; text=$(show "$@"); decode_base64 ;; *) show "$@" ;; esac ;;
  xxd) case "$*" in *-r*) text=$(show); decode_hex ;; *) show "$@" ;; esac ;;
  rev) text=$(show "$@"); reverse ;;
  cat | tac | nl | head | tail | more | less | od | hexdump | strings | sort | uniq | cut | tr) show "$@" ;;
  sed | awk | gawk | grep | egrep | fgrep) [ $# -gt 0 ] || exit 2; shift; show "$@" ;;
  tee) for argument do { : > "$argument"; } 2>/dev/null; done; show ;;
  touch) for argument do { : >> "$argument"; } 2>/dev/null; done ;;
  ls) set +f; printf '%s\\n' * ;;
  id) echo 'uid=33(www-data) gid=33(www-data) groups=33(www-data)' ;;
  whoami) echo www-data ;;
  hostname) echo web-1 ;;
  uname) echo Linux ;;
  pwd) pwd ;;
  echo) printf '%s\\n' "$*" ;;
  printf) printf "$@" ;;
  test) test "$@" ;;
esac
`
