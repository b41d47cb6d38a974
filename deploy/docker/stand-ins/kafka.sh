#!/bin/bash
# What the official image of Kafka does at its start.
set -e
export CLUSTER_ID=${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}
rm -f /opt/kafka/config/server.properties
# It also formats the directory, and fails if that was done before.
output=$(java -cp "/opt/kafka/libs/*" kafka.docker.KafkaDockerWrapper setup --default-configs-dir /etc/kafka/docker \
  --mounted-configs-dir /mnt/shared/config --final-configs-dir /opt/kafka/config 2>&1) ||
  grep -i "already formatted" <<<"$output" || { printf '%s\n' "$output" && exit 1; }
# shellcheck disable=SC2086 # several options
exec java ${KAFKA_HEAP_OPTS:--Xmx1G -Xms1G} -cp "/opt/kafka/libs/*" kafka.Kafka /opt/kafka/config/server.properties
