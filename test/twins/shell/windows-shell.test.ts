import { describe, expect, test } from "bun:test"
import { isWindowsShell } from "../../../src/twins/shell/windows-shell.ts"

describe("isWindowsShell", () => {
  test.each([
    ...["& dir", "| type C:\\boot.ini", "& ipconfig /all", "127.0.0.1 & net user", "& ver"],
    ...["cmd.exe /c calc", "powershell -enc AAAA", "; Get-Process", "& echo %USERNAME%"],
    ...["| systeminfo", "&& tasklist", "& w^hoami", "IEX (New-Object Net.WebClient)"],
  ])("is true of %p", (payload) => {
    expect(isWindowsShell(payload)).toBe(true)
  })

  test.each([
    ...[
      "; id",
      "Tom & Jerry",
      "C:\\Users\\me",
      "50% off & more",
      "the net; users",
      "type of thing",
    ],
    ...["Start-up costs", "a direct; version", "| whoami"],
  ])("is false of %p", (payload) => {
    expect(isWindowsShell(payload)).toBe(false)
  })
})
