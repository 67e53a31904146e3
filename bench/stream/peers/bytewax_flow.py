"""Bytewax 0.21 on the work: one worker, its own Kafka connectors.

Run as: bytewax_flow.py BROKERS COUNT GROUP INPUT OUTPUT DEAD. Ends at the end of the input; Bytewax keeps
its positions in a recovery store of its own, which is off here, so it commits nothing.
"""

import hashlib
import json
import sys

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from bytewax.testing import run_main

MARKS = frozenset("'\"<>;|&`$()")

brokers, _count, _group, source, output, dead = sys.argv[1:7]


def verify_and_score(message):
    try:
        event = json.loads(message.value)
        payload = event["payload"]
        if hashlib.sha256(payload.encode()).hexdigest() != event["sha256"]:
            return KafkaSinkMessage(key=message.key, value=message.value, topic=dead)
        marks = 0
        for mark in MARKS:
            marks += payload.count(mark)
        routed = {
            "event_id": event["event_id"],
            "session_id": event["session_id"],
            "score": marks / len(payload),
        }
        key = event["session_id"].encode()
        return KafkaSinkMessage(key=key, value=json.dumps(routed).encode(), topic=output)
    except (ValueError, KeyError, TypeError):
        return KafkaSinkMessage(key=message.key, value=message.value, topic=dead)


flow = Dataflow("verify_and_route")
read = kop.input("read", flow, brokers=brokers.split(","), topics=[source], tail=False)
routed = op.map("verify_and_score", read.oks, verify_and_score)
kop.output("route", routed, brokers=brokers.split(","), topic=output, add_config={"acks": "all"})
run_main(flow)
