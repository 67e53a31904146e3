"""Stores seeded evidence in MinIO, announces it on Kafka, and writes down what must become of it.

    python produce.py --packages 10000 --seed 7 --bucket evidence --ledger ledger.jsonl

Servers and credentials: KAFKA_BOOTSTRAP_SERVERS, MINIO_ENDPOINT, MINIO_ACCESS_KEY,
MINIO_SECRET_KEY. Ledger lines: {event_id, topic, value_sha256, expected, fault, copies}; `expected`
is "verdict" or the code of the dead letter. One good event in a hundred is announced twice.
"""

import argparse
import io
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import urllib3
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError
from minio import Minio

from packages import CREATED, GOOD, READY, packages, sha256

UPLOADS_AT_ONCE = 8
AHEAD_MAX = 200  # packages generated but not yet announced


def object_store():
    return Minio(
        os.environ["MINIO_ENDPOINT"],
        access_key=os.environ["MINIO_ACCESS_KEY"],
        secret_key=os.environ["MINIO_SECRET_KEY"],
        secure=False,
        region="us-east-1",
        http_client=urllib3.PoolManager(maxsize=UPLOADS_AT_ONCE, retries=3, timeout=30),
    )


def create_topics(servers, names):
    admin = KafkaAdminClient(bootstrap_servers=servers)
    for name in names:
        try:
            admin.create_topics([NewTopic(name, num_partitions=4, replication_factor=1)])
        except TopicAlreadyExistsError:
            pass
    admin.close()


def upload(store, bucket, package):
    for key, data in package.objects:
        store.put_object(bucket, key, io.BytesIO(data), len(data))
    return package


def uploaded(count, seed, bucket):
    """The packages in order, each once its objects are stored."""
    store = object_store()
    if not store.bucket_exists(bucket):
        store.make_bucket(bucket)
    with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
        ahead = []
        for package in packages(count, seed, bucket):
            ahead.append(pool.submit(upload, store, bucket, package))
            if len(ahead) >= AHEAD_MAX:
                yield ahead.pop(0).result()
        for future in ahead:
            yield future.result()


def announce(producer, package, number):
    """-> how many times it was announced"""
    copies = 2 if package.expected == GOOD and number % 100 == 50 else 1
    for _ in range(copies):
        producer.send(package.topic, key=package.key.encode(), value=package.value)
    return copies


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--packages", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--bucket", required=True)
    parser.add_argument("--ledger", required=True)
    options = parser.parse_args()
    servers = os.environ["KAFKA_BOOTSTRAP_SERVERS"].split(",")
    create_topics(servers, [CREATED, READY])
    producer = KafkaProducer(bootstrap_servers=servers, acks="all", linger_ms=20)
    began = time.monotonic()
    with open(options.ledger + ".part", "w", encoding="utf-8") as ledger:
        stored = uploaded(options.packages, options.seed, options.bucket)
        for number, package in enumerate(stored):
            line = {
                "event_id": package.event_id,
                "topic": package.topic,
                "value_sha256": sha256(package.value),
                "expected": package.expected,
                "fault": package.fault,
                "copies": announce(producer, package, number),
            }
            ledger.write(json.dumps(line) + "\n")
    producer.flush()
    producer.close()
    os.replace(options.ledger + ".part", options.ledger)
    print(f"{options.packages} packages in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
