# shellcheck shell=bash
# Directories and ports of the local stack. Sourced by stack.sh and ./dev. Everything can be set
# from the environment, so that several stacks can run side by side: give each its own directory and its own ports.

# shellcheck disable=SC2034 # for those who source this
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

: "${COURIERFLOW_LOCAL_DIR:=$repo/.local}"        # data, logs and pid files of one stack
: "${COURIERFLOW_CACHE_DIR:=${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}/courierflow}" # the servers, fetched once
: "${COURIERFLOW_KAFKA_PORT:=9092}"
[[ $COURIERFLOW_KAFKA_PORT == *[!0-9]* ]] || : "${COURIERFLOW_KAFKA_CONTROLLER_PORT:=$((10#$COURIERFLOW_KAFKA_PORT + 1))}"
: "${COURIERFLOW_REGISTRY_PORT:=8082}"
: "${COURIERFLOW_CLICKHOUSE_HTTP_PORT:=8123}"
: "${COURIERFLOW_CLICKHOUSE_TCP_PORT:=9000}"
: "${COURIERFLOW_INGEST_PORT:=8080}"
: "${COURIERFLOW_SUBSCRIPTIONS_PORT:=8083}"       # requests for subscriptions, of ingest
: "${COURIERFLOW_PROCESSOR_PORT:=8081}"           # health, metrics, pages
: "${COURIERFLOW_VENDOR_PORT:=8090}"              # vendors that are called, of the demo
: "${COURIERFLOW_KAFKA_HEAP:=512m}"
: "${COURIERFLOW_KAFKA_JVM:=}"                    # more options for the broker's Java
: "${COURIERFLOW_KAFKA_PROPERTIES:=}"             # more lines for the broker, which win over those of server.properties
: "${COURIERFLOW_KAFKA_CLASSPATH:=}"              # where the broker finds classes that are not Kafka's
: "${COURIERFLOW_START_SECONDS:=90}"              # how long a server or service may take until it is ready

# Make paths absolute, because relative ones would depend on the directory in which a command is started.
[[ $COURIERFLOW_LOCAL_DIR == /* ]] || COURIERFLOW_LOCAL_DIR=$PWD/$COURIERFLOW_LOCAL_DIR
[[ $COURIERFLOW_CACHE_DIR == /* ]] || COURIERFLOW_CACHE_DIR=$PWD/$COURIERFLOW_CACHE_DIR

# Each port with its variable, in the order in which conflicts are reported.
port_variables=(
  COURIERFLOW_KAFKA_PORT COURIERFLOW_KAFKA_CONTROLLER_PORT COURIERFLOW_REGISTRY_PORT COURIERFLOW_CLICKHOUSE_HTTP_PORT
  COURIERFLOW_CLICKHOUSE_TCP_PORT COURIERFLOW_INGEST_PORT COURIERFLOW_SUBSCRIPTIONS_PORT COURIERFLOW_PROCESSOR_PORT
  COURIERFLOW_VENDOR_PORT
)

say() { printf '%s\n' "$*"; }

fail() {
  printf 'courierflow: %s\n' "$*" >&2
  exit 1
}

check_settings() {
  local variable other
  for variable in "${port_variables[@]}"; do
    if ! [[ ${!variable} =~ ^[1-9][0-9]{0,4}$ ]] || ((${!variable} > 65535)); then
      fail "$variable: '${!variable}' is not a port number (1 to 65535)"
    fi
    for other in "${port_variables[@]}"; do
      [[ $other == "$variable" ]] && break
      [[ ${!other} != "${!variable}" ]] || fail "$variable: port ${!variable} is already taken by $other"
    done
  done
  [[ $COURIERFLOW_START_SECONDS =~ ^[1-9][0-9]{0,4}$ ]] ||
    fail "COURIERFLOW_START_SECONDS: '$COURIERFLOW_START_SECONDS' is not a number of seconds"
}

# Fails if fewer than MEGABYTES are free on the disk of DIRECTORY. Otherwise a full disk would appear as a corrupt
# download or as a server that ends with a stack trace.
need_disk() { # DIRECTORY MEGABYTES PURPOSE VARIABLE
  local free
  free=$(($(df -Pk "$1" | awk 'NR == 2 { print $4 }') / 1024))
  ((free >= $2)) || fail "only $free MB free in $1, $3 needs $2 MB ($4 moves it)"
}

make_directory() { # DIRECTORY VARIABLE
  mkdir -p "$1" 2>/dev/null || fail "cannot create the directory $1 ($2 moves it)"
}

# For what holds personal data: nobody else on this machine may look, whatever is created inside.
make_private_directory() { # DIRECTORY VARIABLE
  make_directory "$1" "$2"
  chmod 700 "$1" 2>/dev/null || fail "the directory $1 belongs to somebody else ($2 moves it)"
}
