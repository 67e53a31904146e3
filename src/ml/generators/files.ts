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
  /tmp/x /dev/null /boot/grub/grub.cfg /run/secrets/token /opt/app/.env /etc/gshadow /etc/profile
  /etc/environment /etc/network/interfaces /etc/nsswitch.conf /etc/pam.d/common-auth /etc/exports
  /etc/samba/smb.conf /etc/vsftpd.conf /etc/squid/squid.conf /etc/ssl/private/server.key
  /etc/kubernetes/admin.conf /etc/docker/daemon.json /etc/machine-id /etc/timezone /etc/at.allow
  /proc/1/maps /proc/self/maps /proc/self/status /proc/self/root/etc/passwd /proc/net/arp
  /proc/partitions /proc/filesystems /proc/loadavg /proc/sys/kernel/version /sys/class/net
  /var/run/secrets/kubernetes.io/serviceaccount/token /var/lib/mysql/mysql/user.MYD
  /var/lib/postgresql/data/pg_hba.conf /var/spool/cron/crontabs/root /var/www/.htpasswd
  /var/backups/passwd.bak /var/log/httpd/access_log /var/log/secure /var/log/wtmp /var/log/lastlog
  /home/admin/.bash_history /home/ubuntu/.aws/credentials /root/.mysql_history /root/.kube/config
  /usr/local/apache2/conf/httpd.conf /usr/local/tomcat/conf/tomcat-users.xml /usr/share/tomcat/conf/server.xml
  /opt/tomcat/webapps/ROOT/WEB-INF/web.xml /opt/lampp/etc/httpd.conf /srv/ftp/.netrc`.split(/\s+/)

const WINDOWS =
  `c:\\windows\\win.ini c:\\windows\\win.ini c:\\boot.ini c:\\windows\\system32\\drivers\\etc\\hosts
  c:\\windows\\repair\\sam c:\\windows\\system.ini c:\\winnt\\win.ini c:\\inetpub\\wwwroot\\web.config
  c:\\windows\\system32\\config\\sam c:\\autoexec.bat c:\\windows\\php.ini c:\\xampp\\apache\\conf\\httpd.conf
  c:\\users\\administrator\\desktop\\desktop.ini c:\\windows\\debug\\netsetup.log c:\\sysprep.inf
  c:\\windows\\panther\\unattend.xml c:\\windows\\system32\\cmd.exe c:\\windows\\iis.log
  c:\\windows\\system32\\license.rtf c:\\windows\\system32\\inetsrv\\config\\applicationhost.config
  c:\\windows\\ntds\\ntds.dit c:\\windows\\explorer.exe c:\\windows\\notepad.exe c:\\windows\\regedit.exe
  c:\\windows\\system32\\config\\system c:\\windows\\setuplog.txt c:\\windows\\windowsupdate.log
  c:\\program files\\mysql\\my.ini c:\\pagefile.sys c:\\ntldr c:\\bootmgr c:\\config.sys c:\\users\\public\\desktop
  c:\\inetpub\\logs\\logfiles c:\\xampp\\htdocs\\config.php c:\\wamp\\bin\\php\\php.ini d:\\wwwroot\\web.config`.split(
    /\s+/,
  )

const APPLICATION =
  `WEB-INF/web.xml META-INF/MANIFEST.MF config.php wp-config.php .env .git/config .htaccess
  .htpasswd web.config global.asax index.php configuration.php settings.py database.yml application.properties
  composer.json package.json WEB-INF/classes/application.yml appsettings.json secret.key
  config/database.yml config/secrets.yml .aws/credentials local.settings.json docker-compose.yml
  WEB-INF/applicationContext.xml db.sqlite3 dump.sql storage/logs/laravel.log private.pem id_rsa conf/server.xml tomcat-users.xml app/etc/local.xml secrets.yml
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
