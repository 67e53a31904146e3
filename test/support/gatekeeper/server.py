"""A Gatekeeper for tests, written from the contract alone: the real `re`, rules in memory.

Prints its port, then serves until its standard input ends. `POST /faults` (a door for tests) sets
what goes wrong: {"status": 500}, {"delay_seconds": 2}, {"forget": true}, {} for nothing.
"""

import json
import re
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOKEN = sys.argv[1] if len(sys.argv) > 1 else "secret"
RULES = "/api/v1/gatekeeper/rules"
FIELDS = (
    "rule_id created_by created_at valid_from expires_at priority match action confidence evidence "
    "audit enabled"
).split()
rules = {}
faults = {}
created = []
lock = threading.Lock()


def searched(request):
    headers = json.dumps(request.get("headers") or {})
    return "%s %s %s" % (request.get("url") or "", request.get("body") or "", headers)


def matches(rule, text):
    match = rule["match"]
    if match["type"] == "string":
        return match["pattern"] in text
    if match["type"] == "regex":
        flags = re.IGNORECASE if match.get("flags", {}).get("caseless") else 0
        return re.search(match["pattern"], text, flags) is not None
    return False


def inspect(request):
    text = searched(request)
    if re.search("union", text, re.I) and re.search("select", text, re.I):
        return {"action": "block", "reason": "SQL injection"}
    score = 0
    for rule in list(rules.values()):
        if rule.get("enabled", True) and matches(rule, text):
            if rule["action"] == "block":
                return {"action": "block", "reason": "Blocked by rule: " + rule["rule_id"]}
            score += 1
    return {"action": "tag_poi" if score else "allow", "reason": "score %d" % score}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self):
        length = int(self.headers.get("content-length") or 0)
        return json.loads(self.rfile.read(length) or b"{}")

    def refused(self):
        if faults.get("delay_seconds"):
            time.sleep(faults["delay_seconds"])
        if faults.get("status"):
            self.answer(faults["status"], {"detail": "fault"})
            return True
        if not self.path.startswith(RULES):
            return False
        given = self.headers.get("authorization")
        if given is None:
            self.answer(403, {"detail": "Not authenticated"})
            return True
        if given != "Bearer " + TOKEN:
            self.answer(401, {"detail": "Invalid token"})
            return True
        return False

    def do_POST(self):
        body = self.body()
        if self.path == "/faults":
            return self.set_faults(body)
        if self.refused():
            return None
        if self.path == "/api/v1/inspect":
            return self.inspect(body)
        if self.path == RULES:
            return self.create(body.get("rule"))
        return self.answer(404, {"detail": "Not Found"})

    def set_faults(self, body):
        faults.clear()
        faults.update(body)
        if faults.pop("forget", False):
            rules.clear()
        return self.answer(200, {})

    def inspect(self, body):
        try:
            return self.answer(200, inspect(body))
        except re.error:
            return self.answer(500, {"detail": "Internal Server Error"})

    def create(self, rule):
        if not isinstance(rule, dict) or not isinstance(rule.get("match"), dict):
            return self.answer(422, {"detail": [{"input": rule}]})
        stored = {key: rule[key] for key in FIELDS if key in rule}
        stored.setdefault("rule_id", str(uuid.uuid4()))
        with lock:
            if stored["rule_id"] in rules:
                return self.answer(409, {"detail": "Rule already exists"})
            rules[stored["rule_id"]] = stored
            created.append(stored["rule_id"])
        return self.answer(201, {"rule_id": stored["rule_id"], "status": "created", "message": ""})

    def do_GET(self):
        if self.path == "/created":
            return self.answer(200, created)
        if self.refused():
            return None
        if self.path == RULES:
            active = [rule for rule in rules.values() if rule.get("enabled", True)]
            return self.answer(200, {"rules": active, "count": len(active)})
        rule = rules.get(self.path[len(RULES) + 1 :])
        return self.answer(200, rule) if rule else self.answer(404, {"detail": "Rule not found"})

    def do_DELETE(self):
        if self.refused():
            return None
        with lock:
            rule = rules.pop(self.path[len(RULES) + 1 :], None)
        return self.answer(200, {"status": "deleted"}) if rule else self.answer(404, {"detail": "Rule not found"})

    def do_PUT(self):
        if self.refused():
            return None
        match = re.fullmatch(RULES + r"/([A-Za-z0-9_-]+)/toggle\?enabled=(true|false)", self.path)
        rule = rules.get(match.group(1)) if match else None
        if rule is None:
            return self.answer(404, {"detail": "Rule not found"})
        rule["enabled"] = match.group(2) == "true"
        return self.answer(200, {"status": "updated"})


def main():
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    server.shutdown()


main()
