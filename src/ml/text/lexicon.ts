/**
 * Words whose presence tells something, by family. A family generalises where a single word does
 * not: a model that saw `cat` and `wget` after a semicolon also mistrusts `nslookup` there.
 *
 * Taken from the manuals: SQL reserved words and functions (PostgreSQL, MySQL, SQL Server,
 * SQLite), HTML elements and event handlers (WHATWG), POSIX utilities and Windows commands, files
 * that systems keep in known places (Filesystem Hierarchy Standard).
 */
const WORD_FAMILIES = {
  sqlVerb: `select insert update delete drop union alter create truncate exec execute declare merge
    replace grant revoke shutdown`,
  sqlClause: `from where having group order by limit offset into values set table join all distinct
    and or not null like between rlike regexp in is case when then else end as on using procedure`,
  sqlFunction: `sleep benchmark waitfor delay pg_sleep concat concat_ws group_concat char chr ascii
    substring substr mid ascii ord length count convert cast load_file outfile dumpfile extractvalue
    updatexml xp_cmdshell xp_dirtree sp_executesql version user database schema information_schema
    sqlite_master sysobjects syscolumns all_tables user_tables dual pg_catalog utl_inaddr utl_http
    dbms_pipe dbms_lock receive_message randomblob rand floor hex unhex elt make_set exp polygon
    analyse load_extension current_user session_user system_user ifnull isnull nvl coalesce iif if
    ctxsys drithsx row_count gtid_subset json_keys name_const quote`,
  htmlTag: `script img svg iframe body input object embed video audio source math style link meta
    base form button details marquee textarea select isindex animate set image a div span table td
    frameset frame applet keygen template noscript xss picture track title foreignobject`,
  jsSink: `alert prompt confirm eval settimeout setinterval function document cookie window location
    localstorage fromcharcode innerhtml outerhtml write writeln atob btoa constructor fetch
    xmlhttprequest expression javascript vbscript srcdoc xlink top self parent globalthis import`,
  command: `cat ls id whoami pwd uname ps wget curl nc ncat netcat bash sh zsh dash ksh csh tcsh
    busybox ping nslookup dig host ifconfig ip netstat ss arp route hostname echo printf sleep touch
    rm cp mv chmod chown chgrp ln mkdir rmdir find grep egrep fgrep awk gawk sed tr cut head tail
    less more tac nl od xxd hexdump strings sort uniq wc tee xargs env printenv set export which
    whereis locate file stat df du free top kill killall pkill crontab at systemctl service useradd
    adduser passwd su sudo ssh scp sftp ftp tftp telnet socat openssl base64 base32 tar gzip gunzip
    zip unzip dd mount umount python python2 python3 perl ruby php node lua java gcc make git vi vim
    nano man date cal uptime w who last finger mail sendmail exit eval exec source type command
    nohup timeout watch time expr seq yes test true false rev dir copy del erase move ren md rd
    ipconfig systeminfo tasklist taskkill net netsh sc reg wmic cmd powershell pwsh certutil bitsadmin
    mshta rundll32 regsvr32 cscript wscript ver vol tree findstr start schtasks icacls attrib
    tracert pathping getmac whoami quser query iex invoke mkfifo mknod lsof dmesg lscpu lsblk getent
    groups apt yum apk dpkg rpm docker kubectl aws`,
  systemPath: `etc passwd shadow hosts group issue motd fstab crontab sudoers proc environ cmdline
    version cpuinfo status maps fd self var log access_log error_log auth syslog windows winnt
    system32 drivers boot win system ini sam repair inetpub wwwroot bin usr sbin dev tcp udp tmp root
    home ssh id_rsa authorized_keys bash_history htpasswd htaccess web config global asax inf wp
    php env git svn head index`,
} as const

export type WordFamily = keyof typeof WORD_FAMILIES

export const WORD_FAMILY_NAMES = Object.keys(WORD_FAMILIES) as readonly WordFamily[]

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
export const WORD_HASH_START: number = FNV_OFFSET | 0

/** The running hash (FNV-1a, 32 bits) of a word, one byte further. */
export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, FNV_PRIME)
}

const SLOTS = 4096

/** Word hash -> bits of its families (bit i = WORD_FAMILY_NAMES[i]); open addressing. */
export class Lexicon {
  readonly #hashes = new Int32Array(SLOTS)
  readonly #families = new Uint8Array(SLOTS)

  constructor() {
    for (const [bit, family] of WORD_FAMILY_NAMES.entries()) {
      for (const word of WORD_FAMILIES[family].split(/\s+/)) this.#add(hashWord(word), 1 << bit)
    }
  }

  /** @returns bits of the families that the word belongs to, 0 for none */
  families(hash: number): number {
    return this.#families[this.#slot(hash)] ?? 0
  }

  #add(hash: number, bits: number): void {
    const slot = this.#slot(hash)
    this.#hashes[slot] = hash
    this.#families[slot] = (this.#families[slot] ?? 0) | bits
  }

  /** The slot of a word, or the free one where it would stand; the table is never half full. */
  #slot(hash: number): number {
    let slot = (hash ^ (hash >>> 15)) & (SLOTS - 1)
    while (this.#families[slot] !== 0 && this.#hashes[slot] !== hash)
      slot = (slot + 1) & (SLOTS - 1)
    return slot
  }
}

function hashWord(word: string): number {
  let hash = WORD_HASH_START
  for (let index = 0; index < word.length; index++) hash = hashByte(hash, word.charCodeAt(index))
  return hash
}
