import type { Random } from "../random.ts"
import { identifier } from "./grammar.ts"

const UNIX =
  `/etc/passwd /etc/passwd /etc/passwd /etc/shadow /etc/group /etc/hosts /etc/issue /etc/motd
  /etc/hostname /etc/resolv.conf /etc/fstab /etc/crontab /etc/sudoers /etc/my.cnf /etc/mysql/my.cnf
  /etc/ssh/sshd_config /etc/apache2/apache2.conf /etc/httpd/conf/httpd.conf /etc/nginx/nginx.conf
  /etc/php.ini /etc/os-release /etc/redhat-release /etc/inittab /proc/self/environ /proc/version
  /proc/self/cmdline /proc/cpuinfo /proc/self/fd/0 /proc/mounts /proc/net/tcp /var/log/apache2/access.log
  /var/log/apache/error.log /var/log/nginx/access.log /var/log/auth.log /var/log/syslog /var/log/messages
  /var/mail/root /root/.bash_history /root/.ssh/id_rsa /home/user/.ssh/authorized_keys /root/.profile
  /var/www/html/config.php /var/www/html/index.php /var/lib/mlocate/mlocate.db /usr/local/etc/php.ini
  /tmp/x /dev/null /boot/grub/grub.cfg /run/secrets/token /opt/app/.env`.split(/\s+/)

const WINDOWS =
  `c:\\windows\\win.ini c:\\windows\\win.ini c:\\boot.ini c:\\windows\\system32\\drivers\\etc\\hosts
  c:\\windows\\repair\\sam c:\\windows\\system.ini c:\\winnt\\win.ini c:\\inetpub\\wwwroot\\web.config
  c:\\windows\\system32\\config\\sam c:\\autoexec.bat c:\\windows\\php.ini c:\\xampp\\apache\\conf\\httpd.conf
  c:\\users\\administrator\\desktop\\desktop.ini c:\\windows\\debug\\netsetup.log c:\\sysprep.inf
  c:\\windows\\panther\\unattend.xml c:\\windows\\system32\\cmd.exe c:\\windows\\iis.log`.split(
    /\s+/,
  )

const APPLICATION =
  `WEB-INF/web.xml META-INF/MANIFEST.MF config.php wp-config.php .env .git/config .htaccess
  .htpasswd web.config global.asax index.php configuration.php settings.py database.yml application.properties
  composer.json package.json id_rsa conf/server.xml tomcat-users.xml app/etc/local.xml secrets.yml
  .svn/entries .ssh/id_rsa includes/config.inc.php backup.sql`.split(/\s+/)

/** A file that a Unix system keeps in a known place, or one below a directory that it has. */
export function unixFile(random: Random): string {
  if (random.chance(0.88)) return random.pick(UNIX)
  const directory = random.pick(["/etc", "/var/log", "/home", "/tmp", "/opt", "/usr/share", "/srv"])
  return `${directory}/${identifier(random)}${random.pick(["", ".conf", ".log", ".txt", ".key"])}`
}

export function windowsFile(random: Random): string {
  return random.pick(WINDOWS)
}

/** A file of a web application, relative to its root. */
export function applicationFile(random: Random): string {
  return random.pick(APPLICATION)
}
