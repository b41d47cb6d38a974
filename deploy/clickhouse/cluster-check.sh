#!/usr/bin/env bash
# Checks courierflow's tables and views on a real cluster of two replicas, in a database of its own, which it drops at the end:
# migrate on one replica, rows on both, one replica stopped and back, refreshes once, nothing differs.
#
#   REPLICA_1=http://ch-1:8123 REPLICA_2=http://ch-2:8123 \
#   STOP_REPLICA_2='ssh ch-2 systemctl stop clickhouse-server' START_REPLICA_2='ssh ch-2 systemctl start clickhouse-server' \
#   deploy/clickhouse/cluster-check.sh
#
# Without the two commands the part with a stopped replica is left out, and the last line says so. Further variables:
#   CLICKHOUSE_USER, CLICKHOUSE_PASSWORD   a user who may do everything with the database; default and none when missing
#   DATABASE                               courierflow_check
#   KEEPER_PATH                            /clickhouse/databases/$DATABASE
#   PROCESSOR                              the program; processor
#   CONFIG                                 a configuration file; deploy/local/courierflow.toml
#   KEEP                                   1: the database stays
# Both servers need Keeper and the macros {shard} (the same) and {replica} (different).
set -euo pipefail

: "${REPLICA_1:?the HTTP address of the first replica}" "${REPLICA_2:?the HTTP address of the second replica}"
user=${CLICKHOUSE_USER:-default}
password=${CLICKHOUSE_PASSWORD:-}
database=${DATABASE:-courierflow_check}
keeper_path=${KEEPER_PATH:-/clickhouse/databases/$database}
processor=${PROCESSOR:-processor}
config=${CONFIG:-$(dirname "${BASH_SOURCE[0]}")/../local/courierflow.toml}
deadline_s=120

say() { printf '%s\n' "$*"; }
fail() {
  printf 'cluster-check: FAILED: %s\n' "$*" >&2
  exit 1
}

# The password stands in a header, not on the command line of curl.
ask() { # ADDRESS STATEMENT [SETTINGS]
  curl -sS --fail-with-body -m 300 "$1/?${3:-}" --data-binary "$2" \
    -H @<(printf 'X-ClickHouse-User: %s\nX-ClickHouse-Key: %s\n' "$user" "$password")
}

both() { # STATEMENT: its answer, which must be the same on both
  local first second
  first=$(ask "$REPLICA_1" "$1") || fail "$REPLICA_1: $first"
  second=$(ask "$REPLICA_2" "$1") || fail "$REPLICA_2: $second"
  [[ $first == "$second" ]] || fail "the replicas differ: $1"$'\n'"--- $REPLICA_1"$'\n'"$first"$'\n'"--- $REPLICA_2"$'\n'"$second"
  printf '%s' "$first"
}

migrate() { # ADDRESS ARGUMENT...
  local address=$1
  shift
  COURIERFLOW__CLICKHOUSE__URL=$address COURIERFLOW__CLICKHOUSE__DATABASE=$database COURIERFLOW__CLICKHOUSE__USER=$user \
    COURIERFLOW__CLICKHOUSE__PASSWORD=$password "$processor" migrate --config "$config" --only tables "$@"
}

until_true() { # WHAT COMMAND...
  local what=$1 end=$((SECONDS + deadline_s))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || fail "$what: not within $deadline_s s"
    sleep 1
  done
}

# shellcheck disable=SC2317,SC2329 # called at the end
drop() {
  local address
  for address in "$REPLICA_1" "$REPLICA_2"; do
    ask "$address" "DROP DATABASE IF EXISTS $database SYNC" >/dev/null || say "database $database is still on $address"
  done
}

insert() { # ADDRESS FIRST_NUMBER SETTINGS: 1,000 parcels that were picked up ten days ago
  local numbers="FROM numbers($2, 1000)"
  ask "$1" "INSERT INTO $database.shipment (vendor, account, carrier, tracking_number, epoch, version, first_received_at, received_at,
      status, leg, tracking_state, picked_up_at)
    SELECT 'check', 'check', 'sf', concat('SF', toString(number)), today() - 10, 1, now() - INTERVAL 10 DAY, now() - INTERVAL 10 DAY,
      'PICKED_UP', 'FORWARD', 'ACTIVE', now() - INTERVAL 10 DAY $numbers" "$3" || return
  ask "$1" "INSERT INTO $database.push (vendor, account, received_at, push_id, parts, carrier, tracking_number, topic, partition, offset)
    SELECT 'check', 'check', now() - INTERVAL 10 DAY, toString(number), 1, 'sf', concat('SF', toString(number)), 't', 0, number $numbers" "$3"
}

refresh() { # ADDRESS VIEW
  ask "$1" "SYSTEM REFRESH VIEW $database.$2" && ask "$1" "SYSTEM WAIT VIEW $database.$2"
}

contents() { # what must be equal on both replicas
  local table answer
  for table in push route_node shipment transition sla_promise calendar annotation carrier_mapping; do
    answer=$(both "SELECT count(), sum(sipHash64(toString(tuple(*)))) FROM $database.$table")
    say "   $table: $answer"
  done
  for table in carrier_daily_recent carrier_daily_older exception_daily_recent exception_daily_older open_parcel data_quality_daily unknown_wording performance_change; do
    answer=$(both "SELECT count() FROM $database.$table")
    say "   $table: $answer"
  done
}

definitions() {
  both "SELECT name, engine, create_table_query FROM system.tables WHERE database = '$database' ORDER BY name" >/dev/null
}

synchronise() { # ADDRESS
  local table
  ask "$1" "SYSTEM SYNC DATABASE REPLICA $database"
  for table in $(ask "$1" "SELECT name FROM system.tables WHERE database = '$database' AND startsWith(engine, 'Replicated')"); do
    ask "$1" "SYSTEM SYNC REPLICA $database.\`$table\`"
  done
}

say "1. a Replicated database on both replicas"
engine=$(both "SELECT engine FROM system.databases WHERE name = '$database'")
[[ -z $engine ]] ||
  fail "database $database is there already: choose another name by DATABASE"
for address in "$REPLICA_1" "$REPLICA_2"; do
  answer=$(ask "$address" "CREATE DATABASE $database ENGINE = Replicated('$keeper_path', '{shard}', '{replica}')") ||
    fail "$address makes no Replicated database: $answer"
done
[[ ${KEEP:-} == 1 ]] || trap drop EXIT
[[ $(both "SELECT count() FROM system.clusters WHERE cluster = '$database'") == 2 ]] ||
  fail "the database does not have two replicas; do both servers have the same macro {shard}?"

say "2. migrate on the first, nothing to change on the second"
migrate "$REPLICA_1" >/dev/null
synchronise "$REPLICA_2"
migrate "$REPLICA_2" --check || fail "migrate would change something on the second replica"
definitions
[[ $(both "SELECT count() FROM system.tables WHERE database = '$database' AND endsWith(engine, 'MergeTree') AND NOT startsWith(engine, 'Replicated')") == 0 ]] ||
  fail "tables that are not replicated"

say "3. rows that one replica has answered are on both"
insert "$REPLICA_1" 0 insert_quorum=auto
[[ $(both "SELECT count() FROM $database.shipment") == 1000 ]] || fail "not 1000 rows on both"
insert "$REPLICA_2" 1000 insert_quorum=auto
[[ $(both "SELECT count() FROM $database.shipment") == 2000 ]] || fail "not 2000 rows on both"
insert "$REPLICA_2" 1000 insert_quorum=auto
[[ $(both "SELECT count() FROM $database.shipment FINAL") == 2000 ]] || fail "an insert that was repeated is there twice"

say "4. a refresh runs on one replica, and both have its rows"
for view in carrier_daily_recent_refresh exception_daily_recent_refresh open_parcel_refresh data_quality_refresh unknown_wording_refresh performance_change_refresh; do
  refresh "$REPLICA_1" "$view"
done
synchronise "$REPLICA_2"
[[ $(both "SELECT count() FROM $database.open_parcel") == 2000 ]] || fail "open_parcel does not have 2000 rows on both"
both "SELECT view, last_refresh_replica, exception FROM system.view_refreshes WHERE database = '$database' ORDER BY view" >/dev/null
failed=$(both "SELECT view FROM system.view_refreshes WHERE database = '$database' AND exception != ''")
[[ -z $failed ]] || fail "these have failed: $failed"
contents

if [[ -z ${STOP_REPLICA_2:-} || -z ${START_REPLICA_2:-} ]]; then
  say "PASSED, but for a stopped replica: STOP_REPLICA_2 and START_REPLICA_2 are not set"
  exit 0
fi

say "5. the second replica is away"
eval "$STOP_REPLICA_2"
# shellcheck disable=SC2317,SC2329 # called by until_true
is_away() { ! ask "$REPLICA_2" "SELECT 1"; }
until_true "the second replica stops" is_away
insert "$REPLICA_1" 2000 insert_quorum=1
if insert "$REPLICA_1" 3000 "insert_quorum=auto&insert_quorum_timeout=5000" >/dev/null 2>&1; then
  fail "an insert for a majority was answered though one of two replicas is away"
fi
COURIERFLOW__CLICKHOUSE__VIEWS__MAX_MEMORY_BYTES=7000000000 migrate "$REPLICA_1" >/dev/null ||
  fail "migrate waits for the replica that is away"
refresh "$REPLICA_1" open_parcel_refresh

say "6. it is back, and nothing differs"
eval "$START_REPLICA_2"
until_true "the second replica starts" ask "$REPLICA_2" "SELECT 1"
until_true "it has caught up" synchronise "$REPLICA_2"
synchronise "$REPLICA_1"
# What was refused is sent again, as the sink does.
insert "$REPLICA_2" 3000 insert_quorum=auto
[[ $(both "SELECT count() FROM $database.shipment FINAL") == 4000 ]] || fail "not 4000 parcels on both"
refresh "$REPLICA_2" open_parcel_refresh
synchronise "$REPLICA_1"
[[ $(both "SELECT count() FROM $database.open_parcel") == 4000 ]] || fail "open_parcel does not have 4000 rows on both"
definitions
contents
say "PASSED"
