"""Asks for subscriptions with a stock client, and prints the partition of each record.

usage: ask.py BROKERS REGISTRY_URL REQUEST...

A request is a JSON object with the fields of the schema; times are milliseconds or microseconds as the schema says. Nothing here knows
the project: the schema is the latest one that the registry has for the topic.
"""

import json
import sys

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

TOPIC = "courier.subscription.request.v1"


def main():
    brokers, registry_url, requests = sys.argv[1], sys.argv[2], sys.argv[3:]
    serialize = AvroSerializer(
        SchemaRegistryClient({"url": registry_url}),
        conf={"auto.register.schemas": False, "use.latest.version": True},
    )
    # The partitions of Java's clients; librdkafka's own default is another hash.
    producer = Producer({"bootstrap.servers": brokers, "acks": "all", "partitioner": "murmur2_random"})
    partitions = []

    def delivered(error, message):
        if error:
            sys.exit(f"not delivered: {error}")
        partitions.append(message.partition())

    for request in map(json.loads, requests):
        value = serialize(request, SerializationContext(TOPIC, MessageField.VALUE))
        producer.produce(TOPIC, key=request["tracking_number"], value=value, on_delivery=delivered)
        producer.flush()
    print(*partitions, sep="\n")


if __name__ == "__main__":
    main()
