#!/bin/bash
# The health check of Kafka's container. It requests the metadata of no topic (request 3, version 1): an open port is not enough, the
# broker is usable once it lists itself. Kafka's own tools would start a JVM every few seconds.
exec 3<>/dev/tcp/127.0.0.1/19092 || exit 1
printf '\0\0\0\016\0\003\0\001\0\0\0\0\377\377\0\0\0\0' >&3
# Size, correlation id, number of brokers: four bytes each.
read -ra answer <<<"$(head -c 12 <&3 | od -An -v -tu1 | tr '\n' ' ')"
((${#answer[@]} == 12 && answer[11] >= 1))
