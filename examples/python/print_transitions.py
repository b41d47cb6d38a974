"""Prints each transition of courier.transition.v1 as one line, from the beginning of the topic, until it is stopped; the next run of the
same group goes on where this one ended.

usage: print_transitions.py BROKERS REGISTRY_URL GROUP

A transition is (vendor, carrier, tracking_number, epoch, transition_id, occurred_at). A program that stores transitions keeps the greatest
version of each, and removes it when that version is RETRACTED.
"""

import signal
import sys

from confluent_kafka import Consumer, KafkaException
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext


def main(brokers, registry_url, group):
    # Reads each value by the schema that it was written with, which the registry has under the id in the value; new fields do no harm.
    decode = AvroDeserializer(SchemaRegistryClient({"url": registry_url}))
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": group,
            # The topic is written in transactions. This is librdkafka's default, but not that of other clients: without it, records of
            # aborted ones would be read, too, and they are not true.
            "isolation.level": "read_committed",
            # Also of partitions that are added later.
            "auto.offset.reset": "earliest",
            # What is committed now and then is what has been printed: after a crash some records come again, and none is missing.
            "enable.auto.offset.store": False,
        }
    )
    stop_at_signals()
    try:
        consumer.subscribe(["courier.transition.v1"])
        while True:
            message = consumer.poll(1.0)
            if message is None:
                continue
            if message.error():
                raise KafkaException(message.error())
            transition = decode(message.value(), SerializationContext(message.topic(), MessageField.VALUE))
            print(line(transition), flush=True)
            consumer.store_offsets(message)
    except KeyboardInterrupt:
        pass
    finally:
        # Commits what is stored and leaves the group, so that another member takes over at once.
        consumer.close()


def line(transition):
    occurred_at = transition["occurred_at"].isoformat().replace("+00:00", "Z")
    whose = f"{transition['carrier']} {transition['tracking_number']}"
    return f"{occurred_at} {whose} {transition['op']} {transition['from_status']} -> {transition['to_status']}"


def stop_at_signals():
    """SIGTERM ends the program as Ctrl-C does."""

    def stop(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
