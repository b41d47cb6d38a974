#!/usr/bin/env bash
# Builds the images and runs compose.yaml with them: everything becomes ready, the simulator's pushes arrive in the tables, and after an end
# and a new start all rows are still there. As a project of its own, on ports of its own, with volumes that are removed at the end.
#
#   deploy/docker/check.sh [--no-build] [--keep]     --no-build takes the images that are there; --keep leaves all running
set -euo pipefail

# shellcheck source=deploy/local/settings.sh
source "$(dirname "${BASH_SOURCE[0]}")/../local/settings.sh"
cd "$repo"

programs=(ingest processor simulator)
most_megabytes=60
# The official images: on which ours are built, and which compose.yaml runs.
bases=(node=node:20-bookworm-slim rust=rust:1.95-slim-bookworm)
servers=(kafka=apache/kafka:4.2.1 registry=apicurio/apicurio-registry:3.0.9 clickhouse=clickhouse/clickhouse-server:26.7)
export COURIERFLOW_KAFKA_PORT=${COURIERFLOW_CHECK_PORTS:-1939}2
export COURIERFLOW_REGISTRY_PORT=${COURIERFLOW_CHECK_PORTS:-1939}3
export COURIERFLOW_CLICKHOUSE_HTTP_PORT=${COURIERFLOW_CHECK_PORTS:-1939}4
export COURIERFLOW_INGEST_PORT=${COURIERFLOW_CHECK_PORTS:-1939}5
export COURIERFLOW_PROCESSOR_PORT=${COURIERFLOW_CHECK_PORTS:-1939}6

need_engine() {
  command -v docker >/dev/null || fail "there is no docker; Debian: apt-get install docker.io"
  docker info >/dev/null 2>&1 || fail "no container engine answers: is it running, and is DOCKER_HOST right?"
  docker compose version >/dev/null 2>&1 || fail "docker has no compose (version 2): install its plugin"
}

# Pulls what is missing, or makes a stand-in.
need_images() { # NAME=IMAGE...
  local pair missing=()
  for pair in "$@"; do
    docker image inspect "${pair#*=}" >/dev/null 2>&1 || docker pull --quiet "${pair#*=}" 2>/dev/null || missing+=("$pair")
  done
  ((${#missing[@]})) || return 0
  say "cannot pull ${missing[*]#*=}: stand-ins are made of what the local stack fetches (deploy/docker/stand-ins)"
  deploy/docker/stand-ins/make.sh "${missing[@]}"
}

build_images() {
  local program
  for program in "${programs[@]}"; do
    say "building courierflow/$program"
    # The host's network, because a stand-in may only reach crates, packages and npm through it.
    DOCKER_BUILDKIT=1 docker build --network=host --build-arg CARGO_BUILD_JOBS="${CARGO_BUILD_JOBS:-}" \
      --build-arg COURIERFLOW_REVISION="$(git rev-parse --short=12 HEAD 2>/dev/null)" \
      --file deploy/docker/Dockerfile --target "$program" --tag "courierflow/$program" .
  done
}

check_images() {
  local program bytes user
  for program in "${programs[@]}"; do
    bytes=$(docker image inspect --format '{{.Size}}' "courierflow/$program")
    user=$(docker image inspect --format '{{.Config.User}}' "courierflow/$program")
    say "courierflow/$program: $((bytes / 1000000)) MB, user $user"
    ((bytes < most_megabytes * 1000000)) || fail "courierflow/$program is larger than $most_megabytes MB"
    [[ $user == 10001:10001 ]] || fail "courierflow/$program runs as $user"
  done
}

compose() { docker compose --project-name courierflow-check --progress quiet "$@"; }

start() {
  say "starting"
  compose up --no-build --wait --wait-timeout 900 || {
    compose ps --all
    compose logs --tail 15
    fail "not everything became ready"
  }
  compose ps --all --format 'table {{.Service}}\t{{.Image}}\t{{.Status}}'
}

# By the user `default`, who can be used inside of ClickHouse's container only.
query() { compose exec -T clickhouse wget -q -O - --post-data "$1" http://127.0.0.1:8123/; }

check_run() {
  local rows before=$SECONDS
  start
  say "all ready after $((SECONDS - before)) s"
  compose --profile demo run --rm -T simulator --parcels 300
  rows=$(query "SELECT count() FROM courier.transition FINAL")
  ((rows > 0)) || fail "no transition has arrived"
  curl -sf -o /dev/null "http://127.0.0.1:$COURIERFLOW_PROCESSOR_PORT/" || fail "the dashboard does not answer at its published port"
  say "stopping, and starting with the same volumes"
  compose down
  start
  [[ $(query "SELECT count() FROM courier.transition FINAL") == "$rows" ]] || fail "not all of $rows transitions are still there"
  say "$rows transitions, and all of them after a new start"
}

main() {
  local build=yes argument
  for argument in "$@"; do
    case $argument in
      --no-build) build="" ;;
      --keep) keep=yes ;;
      *) fail "containers takes --no-build and --keep, not '$argument'" ;;
    esac
  done
  need_engine
  need_images "${servers[@]}"
  if [[ -n $build ]]; then
    need_images "${bases[@]}"
    build_images
  fi
  check_images
  [[ -n ${keep:-} ]] || trap 'compose --profile demo down --volumes' EXIT
  check_run
  [[ -z ${keep:-} ]] || say "still running; docker compose -p courierflow-check down --volumes ends it"
}

main "$@"
