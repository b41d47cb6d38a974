"""Reads topics to their present end with a stock client and prints one JSON object a record.

usage: read_topics.py BROKERS REGISTRY_URL TOPIC...

Nothing here knows the project: the schemas come from the registry, by the id in each record.
"""

import datetime
import json
import sys

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition, OFFSET_BEGINNING
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext


def plain(value):
    """As JSON: bytes in hex, times in UTC to the microsecond, dates as yyyy-mm-dd."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime.datetime):
        assert value.tzinfo is not None, "a time without a zone"
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, datetime.date):
        return value.isoformat()
    raise TypeError(f"no plain form for {type(value)}")


def main():
    brokers, registry_url, topics = sys.argv[1], sys.argv[2], sys.argv[3:]
    deserialize = AvroDeserializer(SchemaRegistryClient({"url": registry_url}))
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "stock-python-client",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    metadata = consumer.list_topics(timeout=20).topics
    partitions = [
        TopicPartition(topic, partition, OFFSET_BEGINNING)
        for topic in topics
        for partition in metadata[topic].partitions
    ]
    consumer.assign(partitions)
    unread = {(partition.topic, partition.partition) for partition in partitions}
    while unread:
        message = consumer.poll(20)
        if message is None:
            sys.exit(f"nothing came for 20 s from {sorted(unread)}")
        if message.error():
            if message.error().code() != KafkaError._PARTITION_EOF:
                raise KafkaException(message.error())
            unread.discard((message.topic(), message.partition()))
            continue
        value = message.value()
        if value is not None:
            value = deserialize(value, SerializationContext(message.topic(), MessageField.VALUE))
        record = {
            "topic": message.topic(),
            "partition": message.partition(),
            "offset": message.offset(),
            "key": message.key().decode(),
            "value": value,
        }
        print(json.dumps(record, default=plain, ensure_ascii=False))
    consumer.close()


if __name__ == "__main__":
    main()
