#!/usr/bin/env bash
# The servers of the local stack: how each is started, checked for readiness, and stopped. Used by ./dev and by the
# end-to-end tests. Settings come from the environment: see settings.sh.
set -euo pipefail

# shellcheck source=deploy/local/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/settings.sh"
# shellcheck source=deploy/local/process.sh
source "$(dirname "${BASH_SOURCE[0]}")/process.sh"
# shellcheck source=deploy/local/fetch.sh
source "$(dirname "${BASH_SOURCE[0]}")/fetch.sh"
# shellcheck source=deploy/local/class_archive.sh
source "$(dirname "${BASH_SOURCE[0]}")/class_archive.sh"

servers=(kafka registry clickhouse)
data_dir=$COURIERFLOW_LOCAL_DIR/data

server_ports() { # NAME: the variables of its ports, the one that clients use first
  case $1 in
    kafka) printf '%s\n' COURIERFLOW_KAFKA_PORT COURIERFLOW_KAFKA_CONTROLLER_PORT ;;
    registry) printf '%s\n' COURIERFLOW_REGISTRY_PORT ;;
    clickhouse) printf '%s\n' COURIERFLOW_CLICKHOUSE_HTTP_PORT COURIERFLOW_CLICKHOUSE_TCP_PORT ;;
  esac
}

# --- Kafka -----------------------------------------------------------------------------------------------------------

kafka_spawn() { # HOME
  local properties=$data_dir/kafka.properties java
  need_java
  java=(java "$(class_archive_option kafka)" -Xmx"$COURIERFLOW_KAFKA_HEAP" -Dlog4j2.configurationFile="$repo/deploy/local/kafka/log4j2.properties"
    -cp "$1/lib/*${COURIERFLOW_KAFKA_CLASSPATH:+:$COURIERFLOW_KAFKA_CLASSPATH}")
  {
    cat "$repo/deploy/local/kafka/server.properties"
    printf '\n# This instance\n'
    printf 'listeners=PLAINTEXT://127.0.0.1:%s,CONTROLLER://127.0.0.1:%s\n' \
      "$COURIERFLOW_KAFKA_PORT" "$COURIERFLOW_KAFKA_CONTROLLER_PORT"
    printf 'advertised.listeners=PLAINTEXT://127.0.0.1:%s\n' "$COURIERFLOW_KAFKA_PORT"
    printf 'controller.quorum.voters=1@127.0.0.1:%s\n' "$COURIERFLOW_KAFKA_CONTROLLER_PORT"
    printf 'log.dirs=%s\n' "$data_dir/kafka"
    printf '%s\n' "$COURIERFLOW_KAFKA_PROPERTIES"
  } >"$properties"
  if [[ ! -f $data_dir/kafka/meta.properties ]]; then
    # The id of a cluster is 16 bytes in base64url; every local one has the same.
    # Two options for a program that ends at once.
    "${java[@]}" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC kafka.tools.StorageTool format --ignore-formatted --cluster-id="$(printf courierflow-demo | base64 | tr -d =)" \
      --config "$properties" >>"$log_dir/kafka.log" 2>&1 || process_log_fail kafka "cannot format $data_dir/kafka"
  fi
  # shellcheck disable=SC2086 # options are words
  process_spawn kafka "${java[@]}" $COURIERFLOW_KAFKA_JVM kafka.Kafka "$properties"
}

# Requests the metadata of no topic (request 3, version 1). An open port is not enough: the broker is usable once it
# lists itself among the brokers, which it does when its controller has unfenced it.
kafka_ready() {
  local answer
  answer=$(
    exec 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$COURIERFLOW_KAFKA_PORT" || exit 1
    printf '\0\0\0\016\0\003\0\001\0\0\0\0\377\377\0\0\0\0' >&3
    timeout 2 head -c 12 <&3 | od -An -v -tu1
  ) || return 1
  # size, correlation id, number of brokers: four bytes each
  read -ra answer <<<"$answer"
  ((${#answer[@]} == 12 && answer[11] >= 1))
}

kafka_ask_to_end() { process_signal kafka TERM; }

# --- Schema registry -------------------------------------------------------------------------------------------------

registry_spawn() { # HOME
  need_java
  # By default the registry keeps schemas in memory, and H2 writes a commit to its file half a second later. But a
  # schema id that is used in a record on Kafka must survive a restart and a kill -9. The two -XX options halve the CPU
  # time of the start; afterwards the registry does too little to need the second compiler.
  process_spawn registry env \
    QUARKUS_HTTP_HOST=127.0.0.1 QUARKUS_HTTP_PORT="$COURIERFLOW_REGISTRY_PORT" \
    APICURIO_STORAGE_KIND=sql APICURIO_STORAGE_SQL_KIND=h2 \
    APICURIO_DATASOURCE_URL="jdbc:h2:file:$data_dir/registry/registry;WRITE_DELAY=0" \
    java "$(class_archive_option registry)" -Xmx256m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -jar "$1"/apicurio-registry-app-*-runner.jar
}

registry_ready() {
  curl -sf -m 2 -o /dev/null "http://127.0.0.1:$COURIERFLOW_REGISTRY_PORT/apis/ccompat/v7/subjects"
}

registry_ask_to_end() { process_signal registry TERM; }

# --- ClickHouse ------------------------------------------------------------------------------------------------------

clickhouse_spawn() { # HOME
  local config=$data_dir/clickhouse.xml
  sed -e "s|HTTP_PORT|$COURIERFLOW_CLICKHOUSE_HTTP_PORT|g" -e "s|USERS_FILE|$repo/deploy/local/clickhouse/users.xml|" \
    "$repo/deploy/local/clickhouse/config.xml" >"$config"
  # The statement that opens the ports must not end, or the engine ends with it.
  process_spawn clickhouse "$1/clickhouse" --config-file="$config" --path="$data_dir/clickhouse" --listen_host=127.0.0.1 \
    --http_port="$COURIERFLOW_CLICKHOUSE_HTTP_PORT" --tcp_port="$COURIERFLOW_CLICKHOUSE_TCP_PORT" \
    --query="SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; SELECT sleepEachRow(3) FROM numbers(100000000)
             SETTINGS function_sleep_max_microseconds_per_block = 0, max_block_size = 1 FORMAT Null"
}

clickhouse_ready() {
  [[ $(curl -sf -m 2 "http://127.0.0.1:$COURIERFLOW_CLICKHOUSE_HTTP_PORT/?query=SELECT+1") == 1 ]]
}

# It does not end on SIGTERM, so it is shut down by a statement. The answer is lost when the server ends, so most errors
# are meaningless. A server that is not listening yet cannot be asked; it has no data to lose, so SIGKILL does no harm.
clickhouse_ask_to_end() {
  local status=0
  process_pid clickhouse >/dev/null || return 0
  curl -s -m 5 -o /dev/null -d "SYSTEM SHUTDOWN" "http://127.0.0.1:$COURIERFLOW_CLICKHOUSE_HTTP_PORT/" || status=$?
  ((status != 7)) || process_kill clickhouse
}

# --- All of them -----------------------------------------------------------------------------------------------------

stack_install() {
  local part
  for part in "${servers[@]}"; do install_part "$part"; done
  for part in kafka registry; do make_class_archive "$part"; done
}

# The secret key from which ids are made. It is created once and kept with the data that it belongs to.
make_id_key() {
  [[ -s $data_dir/id.key ]] && return
  make_private_directory "$data_dir" COURIERFLOW_LOCAL_DIR
  od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$data_dir/id.key"
}

# The token with which anybody who can read this directory may ask for subscriptions.
make_demo_token() {
  [[ -s $data_dir/demo.token ]] && return
  make_private_directory "$data_dir" COURIERFLOW_LOCAL_DIR
  printf 'demo-token-%s\n' "$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')" >"$data_dir/demo.token"
}

stack_start() { # NAME...: returns as soon as they are started; stack_wait waits until they can be used
  local name pid variable
  for name in "$@"; do install_part "$name"; done
  # Settings, data and logs, from here on: they hold personal data, and nobody else on this machine may look.
  umask 077
  make_id_key
  make_demo_token
  for name in "$@"; do
    process_lock "$name"
    if pid=$(process_pid "$name"); then
      say "$name is already running (pid $pid, port $(server_port "$name"))"
    else
      for variable in $(server_ports "$name"); do need_free_port "$name" "$variable"; done
      make_private_directory "$data_dir/$name" COURIERFLOW_LOCAL_DIR
      make_private_directory "$log_dir" COURIERFLOW_LOCAL_DIR
      need_disk "$data_dir" 500 "$name" COURIERFLOW_LOCAL_DIR
      "${name}_spawn" "$(part_home "$name")"
    fi
    process_unlock
  done
}

stack_wait() { # NAME...
  local name
  for name in "$@"; do process_await_ready "$name" "${name}_ready"; done
}

stack_stop() { # NAME...
  local name
  for name in "$@"; do "${name}_ask_to_end"; done
  for name in "$@"; do process_await_end "$name" 20; done
}

stack_kill() { # NAME...
  local name
  for name in "$@"; do process_kill "$name"; done
}

# Kills everything that was started in this directory, including services that a killed test run has left.
stack_sweep() {
  local name
  for name in $(process_names); do process_kill "$name"; done
}

server_port() { # NAME
  local variable
  read -r variable < <(server_ports "$1")
  printf '%s' "${!variable}"
}

stack_status() { # NAME...: one line each: name, pid or -, port, ready (yes, no, or - when it does not run)
  local name pid ready
  for name in "$@"; do
    pid=- ready=-
    if pid=$(process_pid "$name"); then
      if "${name}_ready"; then ready=yes; else ready=no; fi
    else
      pid=-
    fi
    printf '%-11s %7s %6s  %s\n' "$name" "$pid" "$(server_port "$name")" "$ready"
  done
}

stack_usage() {
  cat <<'TEXT'
usage: stack.sh COMMAND [NAME...]      NAME is kafka, registry or clickhouse; without one, all three

  install   fetch what is not yet in the cache
  start     start in the background, without waiting until it is ready
  wait      wait until it answers
  stop      end it cleanly, or after 20 s the hard way
  kill      SIGKILL
  freeze    SIGSTOP: it keeps its connections and answers nothing; thaw ends that
  thaw      SIGCONT
  sweep     kill everything that was started in COURIERFLOW_LOCAL_DIR
  status    name, pid, port, ready
  home      directory of what was fetched of it

Directory, ports and cache are set by COURIERFLOW_LOCAL_DIR, COURIERFLOW_KAFKA_PORT, ...: see settings.sh.
TEXT
}

stack_main() {
  local command=${1:-help} name
  [[ $# == 0 ]] || shift
  for name in "$@"; do
    [[ " ${servers[*]} " == *" $name "* ]] || fail "no server is called '$name': there are ${servers[*]}"
  done
  [[ $# != 0 ]] || set -- "${servers[@]}"
  check_settings
  case $command in
    install) stack_install ;;
    start | wait | stop | kill | status) "stack_$command" "$@" ;;
    freeze) for name in "$@"; do process_signal "$name" STOP; done ;;
    thaw) for name in "$@"; do process_signal "$name" CONT; done ;;
    sweep) stack_sweep ;;
    home) for name in "$@"; do printf '%s\n' "$(part_home "$name")"; done ;;
    help | -h | --help) stack_usage ;;
    *) fail "no command is called '$command': see stack.sh help" ;;
  esac
}

[[ ${BASH_SOURCE[0]} != "$0" ]] || stack_main "$@"
