#!/bin/bash
# The embedded engine opens its ports by a statement, and does not end on SIGTERM but on another statement (deploy/local/stack.sh).
/usr/lib/clickhouse/clickhouse --config-file=/etc/clickhouse-server/config.xml --path=/var/lib/clickhouse --listen_host=0.0.0.0 \
  --http_port=8123 --tcp_port=9000 \
  --query="SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; SELECT sleepEachRow(3) FROM numbers(100000000)
           SETTINGS function_sleep_max_microseconds_per_block = 0, max_block_size = 1 FORMAT Null" &
trap 'wget -q -T 5 -O /dev/null --post-data "SYSTEM SHUTDOWN" "http://127.0.0.1:8123/?user=default" || kill -KILL $!' TERM INT
wait $!
# The first wait ends with the signal.
wait $!
