"""Evidence packages of both forms, good ones and ones broken in eleven ways.

Digests are taken with hashlib over what json.dumps writes: the rule that consumers have to meet.
"""

import gzip
import hashlib
import io
import json
import random
import tarfile
from dataclasses import dataclass, field

from sessions import session

CREATED, READY = "events.evidence_created", "cerberus.evidence.ready"
GOOD = "verdict"


@dataclass
class Package:
    topic: str
    key: str
    event_id: str
    value: bytes
    objects: list = field(default_factory=list)  # (object key, bytes), in order of upload
    expected: str = GOOD  # or the code of the dead letter
    fault: str = ""


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def component_digest(value):
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return sha256(text.encode("utf-8"))


def created_event(number, session_id, uri, digest, rng, tags):
    event = {
        "event_id": f"created-{number:06d}",
        "timestamp": f"2026-03-01T11:{number // 60 % 60:02d}:{number % 60:02d}Z",
        "source": "labyrinth",
        "session_id": session_id,
        "evidence_uri": uri,
        "sha256": digest.upper() if rng.random() < 0.1 else digest,
        "tags": tags,
        "meta": {"attacker_ip": "203.0.113.9", "is_tor": rng.random() < 0.2, "prior_poi_count": 1},
    }
    if rng.random() < 0.1:
        del event["sha256"]
    return event


def json_document(number, session_id, rng):
    log, payloads, tags = session(rng.random())
    document = {"session_id": session_id, "har": {"log": log}, "extracted_payloads": payloads}
    document["note"] = "höflich, \u2028 and \U0001f40d"
    document["signed_manifest"] = {
        "checksums": {name: component_digest(value) for name, value in document.items()},
        "algorithm": "sha256",
        "key_id": "test",
    }
    return document, tags


def dump(document, rng):
    text = json.dumps(document, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, None, 2]))
    return text.encode("utf-8")


def created_json(number, session_id, bucket, rng, fault=""):
    document, tags = json_document(number, session_id, rng)
    checksums = document["signed_manifest"]["checksums"]
    if fault == "wrong_manifest_digest":
        checksums["har"] = sha256(b"another har")
    elif fault == "missing_component":
        del document["extracted_payloads"]
    elif fault == "no_manifest":
        del document["signed_manifest"]
    data = dump(document, rng)
    key = f"evidence/{number:06d}.json"
    scheme = "s3" if rng.random() < 0.3 else "minio"
    event = created_event(number, session_id, f"{scheme}://{bucket}/{key}", sha256(data), rng, tags)
    if fault == "wrong_sha256":
        event["sha256"] = sha256(data + b" ")
    elif fault == "missing_field":
        del event["session_id"]
    elif fault == "wrong_type":
        event["evidence_uri"] = [event["evidence_uri"]]
    value = json.dumps(event).encode()
    if fault == "malformed_event":
        value = value[:-2]
    objects = [] if fault == "missing_object" else [(key, data)]
    return Package(CREATED, session_id, event["event_id"], value, objects, fault=fault)


def created_archive(number, session_id, bucket, rng, fault=""):
    log, payloads, tags = session(rng.random())
    files = {
        "metadata.json": json.dumps({"session_id": session_id}).encode(),
        "session.har": json.dumps({"log": log}).encode(),
    }
    if rng.random() < 0.5:
        files["behavior.json"] = b'{"typing": "none"}'
    for index, payload in enumerate(payloads):
        files[f"payloads/{index:03d}.txt"] = payload["value"].encode()
    checksums = {name: sha256(data) for name, data in files.items()}
    files["manifest.json"] = json.dumps({"checksums": checksums}).encode()
    if fault == "archive_path_escape":
        files["../outside.txt"] = b"escaped"
    data = tar_gz(files)
    key = f"evidence/{number:06d}.tar.gz"
    uri = f"minio://{bucket}/{key}"
    event = created_event(number, session_id, uri, sha256(data), rng, tags)
    value = json.dumps(event).encode()
    return Package(CREATED, session_id, event["event_id"], value, [(key, data)], fault=fault)


def tar_gz(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), compresslevel=1, mtime=0)


def ready(number, session_id, bucket, rng, fault=""):
    event_id = f"ready-{number:06d}"
    log, payloads, tags = session(rng.random())
    metadata = {
        "event_id": event_id,
        "capture_id": f"capture-{number}",
        "created_at": "2026-03-01T10:59:00",
        "session_metadata": {
            "session_id": session_id,
            "attacker_ip": "scanner.example",
            "user_agent": "curl/8.14.1",
            "request_count": len(log["entries"]),
            "tags": tags,
            "risk_score": 0.4,
            "geoip": None,
        },
        "behavior_profile": None,
        "storage_location": f"s3://{bucket}/{event_id}/",
        "tags": tags,
    }
    root = [("session.har", json.dumps(log, indent=2).encode()), ("metadata.json", json.dumps(metadata).encode())]
    if rng.random() < 0.3:
        root.append(("behavior.json", b'{"pauses": []}'))
    rng.shuffle(root)
    stored = [p["value"].encode() for p in payloads if len(p["value"]) > 20]
    files = root + [(f"payloads/payload_{i:03d}.txt", data) for i, data in enumerate(stored)]
    checksum = sha256("".join(sha256(data) for _, data in files).encode())
    if fault == "changed_file":
        files = [(name, data + b" " if name == "session.har" else data) for name, data in files]
    event = {
        "status": "evidence_ready",
        "event_id": event_id,
        "capture_id": f"capture-{number}",
        "session_id": session_id,
        "attacker_ip": "scanner.example",
        "location": f"s3://{bucket}/{event_id}/",
        "timestamp": "2026-03-01T11:00:00.123456",
        "payload_count": len(payloads),
        "request_count": len(log["entries"]),
        "checksum": checksum,
        "tags": tags,
        "artifacts_manifest": None,
    }
    if fault == "wrong_type_ready":
        event["event_id"] = {"id": event_id}
    objects = [(f"{event_id}/{name}", data) for name, data in files]
    return Package(READY, event_id, event_id, json.dumps(event).encode(), objects, fault=fault)


# fault -> (the form it breaks, the code that a consumer must give)
FAULTS = {
    "wrong_sha256": (created_json, "HASH_MISMATCH"),
    "wrong_manifest_digest": (created_json, "HASH_MISMATCH"),
    "missing_component": (created_json, "MANIFEST_INVALID"),
    "no_manifest": (created_json, "MANIFEST_INVALID"),
    "missing_object": (created_json, "OBJECT_NOT_FOUND"),
    "malformed_event": (created_json, "MALFORMED"),
    "missing_field": (created_json, "MALFORMED"),
    "wrong_type": (created_json, "MALFORMED"),
    "archive_path_escape": (created_archive, "ARCHIVE_REFUSED"),
    "changed_file": (ready, "HASH_MISMATCH"),
    "wrong_type_ready": (ready, "MALFORMED"),
}


def packages(count, seed, bucket):
    """Yields `count` packages; one in a hundred is broken, the faults taking turns."""
    rng = random.Random(seed)
    faults = list(FAULTS)
    broken = set(rng.sample(range(count), count // 100))
    for number in range(count):
        # its own generator: a package does not depend on how many came before it
        own = random.Random(f"{seed}/{number}")
        session_id = f"session-{number // 3:05d}"
        if number in broken:
            fault = faults[len(broken) % len(faults)]
            broken.discard(number)
            form, code = FAULTS[fault]
            package = form(number, session_id, bucket, own, fault)
            package.expected = code
        else:
            form = own.choices([created_json, created_archive, ready], weights=[6, 1, 3])[0]
            package = form(number, session_id, bucket, own)
        yield package
